#include "kernels/kokkos/distance_sums.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "kernels/kokkos/views.hpp"

namespace nanoatlas::kernels::kokkos {
namespace {

// The squared distances of 4 rows to 32 at a time stay in registers; 64 rows of a share each tile
// of b while it is in the first cache.
constexpr std::size_t height = 4, width = 32, rows_at_once = 64;

/// Rows interleaved by their number in a block, [blocks, columns, block]; the last filled up with
/// 0.
DeviceView<double> interleaved(std::span<const double> values, std::size_t columns,
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

KOKKOS_FORCEINLINE_FUNCTION void squared_distances(const double* left, const double* right,
                                                   std::size_t columns,
                                                   double (&squares)[height][width]) {
    double sum[height][width];
    for (auto& row : sum)
        for (auto& value : row) value = 0;
    for (std::size_t d = 0; d < columns; ++d) {
#if defined(__GNUC__) && !defined(__clang__) && !defined(__CUDACC__)
#pragma GCC unroll 4
#endif
        for (std::size_t i = 0; i < height; ++i) {
            const double value = left[d * height + i];
            for (std::size_t j = 0; j < width; ++j) {
                const double difference = value - right[d * width + j];
                sum[i][j] += difference * difference;
            }
        }
    }
    for (std::size_t i = 0; i < height; ++i)
        for (std::size_t j = 0; j < width; ++j) squares[i][j] = sum[i][j];
}

std::vector<std::int64_t> ascending(std::size_t n) {
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

}  // namespace

void add_distances_by_label(std::span<const double> a, std::span<const double> b,
                            std::size_t columns, std::span<const std::int32_t> label_of_b,
                            std::size_t labels, std::span<double> sums) {
    if (a.empty() || b.empty()) return;
    // Rows of one label side by side: most tiles then have one sum for all their distances.
    auto order = ascending(label_of_b.size());
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t i, std::int64_t j) {
        return label_of_b[static_cast<std::size_t>(i)] < label_of_b[static_cast<std::size_t>(j)];
    });
    std::vector<std::int32_t> sorted;
    sorted.reserve(order.size());
    for (const auto row : order) sorted.push_back(label_of_b[static_cast<std::size_t>(row)]);
    const auto label = on_device(std::span<const std::int32_t>(sorted));
    const auto to = on_device_for_update(sums);
    for_each_distance(
        "cluster/silhouette", a, b, columns, order,
        KOKKOS_LAMBDA(std::size_t i, std::size_t first, std::size_t count, double* squares) {
            for (std::size_t w = 0; w < width; ++w) squares[w] = Kokkos::sqrt(squares[w]);
            double* sum = to.data() + i * labels;
            for (std::size_t w = 0; w < count;) {
                const auto now = label(first + w);
                double part = 0;
                if (w == 0 && count == width && label(first + width - 1) == now)
                    for (; w < width; ++w) part += squares[w];
                else
                    for (; w < count && label(first + w) == now; ++w) part += squares[w];
                sum[now] += part;
            }
        });
    copy_back(to, sums);
}

void update_nearest(std::span<const double> a, std::span<const std::int64_t> group_of_a,
                    std::span<const double> b, std::span<const std::int64_t> group_of_b,
                    std::size_t columns, std::span<std::int64_t> nearest,
                    std::span<double> squared_distance) {
    if (a.empty() || b.empty()) return;
    const auto group_a = on_device(group_of_a), group_b = on_device(group_of_b);
    const auto place = on_device_for_update(nearest);
    const auto least = on_device_for_update(squared_distance);
    for_each_distance(
        "cluster/nearest", a, b, columns, ascending(group_of_b.size()),
        KOKKOS_LAMBDA(std::size_t i, std::size_t first, std::size_t count, const double* squares) {
            for (std::size_t w = 0; w < count; ++w) {
                if (squares[w] >= least(i) || group_b(first + w) == group_a(i)) continue;
                least(i) = squares[w];
                place(i) = static_cast<std::int64_t>(first + w);
            }
        });
    copy_back(place, nearest);
    copy_back(least, squared_distance);
}

}  // namespace nanoatlas::kernels::kokkos
