#include "kernels/kokkos/distance_sums.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/kokkos/distance_tiles.hpp"
#include "kernels/kokkos/views.hpp"

namespace nanoatlas::kernels::kokkos {

using distance_tiles::ascending, distance_tiles::for_each_distance, distance_tiles::width;
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

void update_least_reach(const RowsWithReach& a, const RowsWithReach& b, std::size_t columns,
                        std::span<double> least) {
    if (a.group.empty() || b.group.empty()) return;
    const auto group_a = on_device(a.group), group_b = on_device(b.group);
    const auto reach_a = on_device(a.reach), reach_b = on_device(b.reach);
    const auto to = on_device_for_update(least);
    for_each_distance(
        "cluster/separation", a.values, b.values, columns, ascending(b.group.size()),
        KOKKOS_LAMBDA(std::size_t i, std::size_t first, std::size_t count, const double* squares) {
            const double limit = to(i) * to(i);
            for (std::size_t w = 0; w < count; ++w) {
                if (squares[w] >= limit || group_b(first + w) == group_a(i)) continue;
                const double reach = Kokkos::max(reach_a(i), reach_b(first + w));
                to(i) = Kokkos::min(to(i), Kokkos::max(reach, Kokkos::sqrt(squares[w])));
            }
        });
    copy_back(to, least);
}

}  // namespace nanoatlas::kernels::kokkos
