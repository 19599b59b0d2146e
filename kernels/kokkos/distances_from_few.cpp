#include "kernels/kokkos/distances_from_few.hpp"

#include <Kokkos_Core.hpp>

#include "kernels/kokkos/squared_distance.hpp"
#include "kernels/kokkos/views.hpp"

namespace nanoatlas::kernels::kokkos {

void least_squares_with(std::span<const double> rows, std::span<const double> candidates,
                        std::size_t columns, std::span<const double> least,
                        std::span<double> squares) {
    const auto n = least.size(), m = candidates.size() / columns;
    const auto row = on_device(rows);
    const auto candidate = on_device(candidates);
    const auto known = on_device(least);
    const auto to = room_on_device(squares);
    for_each_row(
        "kmeans/seed", n, KOKKOS_LAMBDA(const std::size_t i) {
            for (std::size_t t = 0; t < m; ++t)
                to(t * n + i) = Kokkos::min(
                    known(i),
                    squared_distance(&row(i * columns), &candidate(t * columns), columns));
        });
    Kokkos::fence();
    copy_back(to, squares);
}

}  // namespace nanoatlas::kernels::kokkos
