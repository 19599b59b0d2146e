// All distances between two blocks of rows, in f64, tile by tile: what sums and minima are made of.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <span>
#include <vector>

#include "kernels/kokkos/views.hpp"

namespace nanoatlas::kernels::kokkos::distance_tiles {

// Tiles of 4 rows and 32; 64 rows of a share each tile of b while it is in the first cache.
constexpr std::size_t height = 4, width = 32, rows_at_once = 64;

/// Rows interleaved by their number in a block, [blocks, columns, block]; the last filled up with
/// 0.
inline DeviceView<double> interleaved(std::span<const double> values, std::size_t columns,
                                      std::size_t block, const std::vector<std::int64_t>& order) {
    const auto n = order.size();
    DeviceView<double> result("interleaved", (n + block - 1) / block * block * columns);
    const auto from = on_device(values);
    const auto source = on_device(std::span<const std::int64_t>(order));
    for_each_row(
        "cluster/interleave", n, KOKKOS_LAMBDA(const std::size_t i) {
            const auto row = static_cast<std::size_t>(source(i));
            for (std::size_t d = 0; d < columns; ++d)
                result((i / block * columns + d) * block + i % block) = from(row * columns + d);
        });
    return result;
}

#if defined(__GNUC__) && !defined(__CUDACC__)

#if defined(__AVX512F__)
constexpr std::size_t register_doubles = 8;
#else
constexpr std::size_t register_doubles = 4;
#endif

/// Two registers of a tile's columns for all its rows. Its own function, so that sums stay there.
__attribute__((noinline)) inline void squares_in_registers(const double* left, const double* right,
                                                           std::size_t columns, double* squares) {
    using Register = double __attribute__((vector_size(register_doubles * sizeof(double))));
    Register sum[height][2];
#pragma GCC unroll 4
    for (std::size_t i = 0; i < height; ++i) sum[i][0] = sum[i][1] = Register{};
    for (std::size_t d = 0; d < columns; ++d, left += height, right += width) {
        Register near, far;
        std::memcpy(&near, right, sizeof near);
        std::memcpy(&far, right + register_doubles, sizeof far);
#pragma GCC unroll 4
        for (std::size_t i = 0; i < height; ++i) {
            const Register to_near = left[i] - near, to_far = left[i] - far;
            sum[i][0] += to_near * to_near;
            sum[i][1] += to_far * to_far;
        }
    }
#pragma GCC unroll 4
    for (std::size_t i = 0; i < height; ++i) {
        std::memcpy(squares + i * width, &sum[i][0], sizeof(Register));
        std::memcpy(squares + i * width + register_doubles, &sum[i][1], sizeof(Register));
    }
}

inline void squared_distances(const double* left, const double* right, std::size_t columns,
                              double (&squares)[height][width]) {
    for (std::size_t j = 0; j < width; j += 2 * register_doubles)
        squares_in_registers(left, right + j, columns, &squares[0][j]);
}

#else

KOKKOS_FORCEINLINE_FUNCTION void squared_distances(const double* left, const double* right,
                                                   std::size_t columns,
                                                   double (&squares)[height][width]) {
    for (auto& row : squares)
        for (auto& value : row) value = 0;
    for (std::size_t d = 0; d < columns; ++d)
        for (std::size_t i = 0; i < height; ++i)
            for (std::size_t j = 0; j < width; ++j) {
                const double difference = left[d * height + i] - right[d * width + j];
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
/// in parallel, rows of b in the order given.
template <class Visit>
void for_each_distance(const char* name, std::span<const double> a, std::span<const double> b,
                       std::size_t columns, const std::vector<std::int64_t>& order_of_b,
                       const Visit& visit) {
    const auto m = a.size() / columns, n = order_of_b.size();
    const auto left = interleaved(a, columns, height, ascending(m));
    const auto right = interleaved(b, columns, width, order_of_b);
    for_each_row(
        name, (m + rows_at_once - 1) / rows_at_once, KOKKOS_LAMBDA(const std::size_t block) {
            const auto begin = block * rows_at_once;
            const auto end = begin + rows_at_once < m ? begin + rows_at_once : m;
            for (std::size_t first = 0; first < n; first += width)
                for (std::size_t i = begin; i < end; i += height) {
                    double squares[height][width];
                    squared_distances(left.data() + i * columns, right.data() + first * columns,
                                      columns, squares);
                    const auto count = n - first < width ? n - first : width;
                    for (std::size_t r = 0; r < height && i + r < end; ++r)
                        visit(i + r, first, count, squares[r]);
                }
        });
}

}  // namespace nanoatlas::kernels::kokkos::distance_tiles
