// All distances between two blocks of rows, in f64, tile by tile: what sums and minima are made of.
#pragma once

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <span>
#include <vector>

#include "kernels/kokkos/views.hpp"

namespace nanoatlas::kernels::kokkos::distance_tiles {

#if defined(__AVX512F__) && !defined(__CUDACC__)
constexpr std::size_t register_doubles = 8;
#else
constexpr std::size_t register_doubles = 4;
#endif

// A tile's sums fill half of the registers; its rows on the right are two registers wide.
constexpr std::size_t height = 4, width = 2 * register_doubles;
static_assert(width % height == 0);

/// Rows in groups of `width`, those of a group interleaved: [groups, columns, width], the last
/// filled up with 0. Position p holds row order[p].
struct InterleavedGroups {
    DeviceView<double> values;
    std::size_t count, columns;

    /// The first column of the row at a position; the next column is `width` further on.
    KOKKOS_FUNCTION const double* at(std::size_t position) const {
        return values.data() + position / width * width * columns + position % width;
    }
};

inline InterleavedGroups interleaved(std::span<const double> rows, std::size_t columns,
                                     std::span<const std::int64_t> order) {
    const auto n = order.size();
    InterleavedGroups made{
        DeviceView<double>("interleaved", (n + width - 1) / width * width * columns), n, columns};
    const auto from = on_device(rows);
    const auto source = on_device(order);
    for_each_row(
        "cluster/interleave", n, KOKKOS_LAMBDA(const std::size_t i) {
            const auto row = static_cast<std::size_t>(source(i));
            for (std::size_t c = 0; c < columns; ++c)
                made.values((i / width * columns + c) * width + i % width) =
                    from(row * columns + c);
        });
    return made;
}

constexpr std::size_t most_at_once = 128;

/// As many rows as share a group of others while it is in the first cache, and stay in the second.
inline std::size_t rows_at_once(std::size_t columns) {
    constexpr std::size_t cached = 65536;
    return std::clamp(cached / columns / width * width, width, most_at_once);
}

#if defined(__AVX__) && !defined(__CUDACC__)

/// squares[i][j] = the squared distance of row i on the left from row j on the right, summed in
/// order of the columns. Its own function, so that sums stay in registers; the empty assembly keeps
/// what is on the right there, too, which g++ would load anew for each row on the left.
__attribute__((noinline)) inline void squared_distances(const double* left, const double* right,
                                                        std::size_t columns,
                                                        double (&squares)[height][width]) {
    using Register = double __attribute__((vector_size(register_doubles * sizeof(double))));
    Register sum[height][2];
#pragma GCC unroll 4
    for (auto& row : sum) row[0] = row[1] = Register{};
    for (std::size_t c = 0; c < columns; ++c, left += width, right += width) {
        Register near, far;
        std::memcpy(&near, right, sizeof near);
        std::memcpy(&far, right + register_doubles, sizeof far);
        asm("" : "+x"(near), "+x"(far));
#pragma GCC unroll 4
        for (std::size_t i = 0; i < height; ++i) {
            const Register to_near = left[i] - near, to_far = left[i] - far;
            sum[i][0] += to_near * to_near;
            sum[i][1] += to_far * to_far;
        }
    }
#pragma GCC unroll 4
    for (std::size_t i = 0; i < height; ++i) {
        std::memcpy(&squares[i][0], &sum[i][0], sizeof(Register));
        std::memcpy(&squares[i][register_doubles], &sum[i][1], sizeof(Register));
    }
}

#else

KOKKOS_FORCEINLINE_FUNCTION void squared_distances(const double* left, const double* right,
                                                   std::size_t columns,
                                                   double (&squares)[height][width]) {
    for (auto& row : squares)
        for (auto& value : row) value = 0;
    for (std::size_t c = 0; c < columns; ++c)
        for (std::size_t i = 0; i < height; ++i)
            for (std::size_t j = 0; j < width; ++j) {
                const double difference = left[c * width + i] - right[c * width + j];
                squares[i][j] += difference * difference;
            }
}

#endif

inline std::vector<std::int64_t> ascending(std::size_t n) {
    std::vector<std::int64_t> order(n);
    std::iota(order.begin(), order.end(), std::int64_t{0});
    return order;
}

/// Calls visit(i, first, count, squares of i to rows first.. of b) for all pairs of rows; rows of a
/// in parallel, rows of b in ascending order.
template <class Visit>
void for_each_distance(const char* name, std::span<const double> a, std::span<const double> b,
                       std::size_t columns, const Visit& visit) {
    const auto left = interleaved(a, columns, ascending(a.size() / columns));
    const auto right = interleaved(b, columns, ascending(b.size() / columns));
    const auto at_once = rows_at_once(columns);
    for_each_row(
        name, (left.count + at_once - 1) / at_once, KOKKOS_LAMBDA(const std::size_t block) {
            const auto end = Kokkos::min((block + 1) * at_once, left.count);
            for (std::size_t first = 0; first < right.count; first += width)
                for (std::size_t i = block * at_once; i < end; i += height) {
                    double squares[height][width];
                    squared_distances(left.at(i), right.at(first), columns, squares);
                    const auto count = Kokkos::min(right.count - first, std::size_t{width});
                    for (std::size_t r = 0; r < height && i + r < end; ++r)
                        visit(i + r, first, count, squares[r]);
                }
        });
}

}  // namespace nanoatlas::kernels::kokkos::distance_tiles
