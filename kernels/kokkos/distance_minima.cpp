#include "kernels/kokkos/distance_minima.hpp"

#include "kernels/kokkos/distance_tiles.hpp"
#include "kernels/kokkos/views.hpp"

namespace nanoatlas::kernels::kokkos {

using distance_tiles::for_each_distance;

void update_nearest(const GroupedRows& a, const GroupedRows& b, std::size_t columns,
                    std::span<std::int64_t> nearest, std::span<double> squared_distance) {
    if (a.group.empty() || b.group.empty()) return;
    const auto group_a = on_device(a.group), group_b = on_device(b.group);
    const auto number_b = on_device(b.number);
    const auto place = on_device_for_update(nearest);
    const auto least = on_device_for_update(squared_distance);
    for_each_distance(
        "cluster/nearest", a.values, b.values, columns,
        KOKKOS_LAMBDA(std::size_t i, std::size_t first, std::size_t count, const double* squares) {
            for (std::size_t w = 0; w < count; ++w) {
                const auto number = number_b(first + w);
                if (squares[w] > least(i) || group_b(first + w) == group_a(i)) continue;
                if (squares[w] == least(i) && place(i) >= 0 && place(i) < number) continue;
                least(i) = squares[w];
                place(i) = number;
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
        "cluster/separation", a.values, b.values, columns,
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
