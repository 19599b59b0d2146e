#include "kernels/kokkos/density_peaks.hpp"

#include "kernels/kokkos/views.hpp"

namespace nanoatlas::kernels::kokkos {

void find_local_maxima(std::span<const std::int64_t> index, int k,
                       std::span<const std::int32_t> kstar, std::span<const double> g,
                       std::int64_t first_row, std::span<std::uint8_t> is_maximum) {
    const auto neighbour = on_device(index);
    const auto used = on_device(kstar);
    const auto height = on_device(g);
    const auto result = room_on_device(is_maximum);
    for_each_row(
        "density_peaks/maxima", kstar.size(), KOKKOS_LAMBDA(std::size_t row) {
            const double own = height(first_row + static_cast<std::int64_t>(row));
            result(row) = 1;
            for (int rank = 0; rank < used(row) && result(row) != 0; ++rank)
                if (height(neighbour(row * k + rank)) > own) result(row) = 0;
        });
    Kokkos::fence();
    copy_back(result, is_maximum);
}

void find_parents(std::span<const std::int64_t> index, int k, std::span<const double> g,
                  std::span<const std::uint8_t> is_centre, std::int64_t first_row,
                  std::span<std::int64_t> parent) {
    const auto neighbour = on_device(index);
    const auto height = on_device(g);
    const auto centre = on_device(is_centre);
    const auto result = room_on_device(parent);
    for_each_row(
        "density_peaks/parents", parent.size(), KOKKOS_LAMBDA(std::size_t row) {
            const std::int64_t self = first_row + static_cast<std::int64_t>(row);
            const double own = height(self);
            result(row) = centre(self) != 0 ? self : -1;
            for (int rank = 0; rank < k && result(row) < 0; ++rank) {
                const std::int64_t other = neighbour(row * k + rank);
                const bool earlier = height(other) > own || (height(other) == own && other < self);
                if (earlier || centre(other) != 0) result(row) = other;
            }
        });
    Kokkos::fence();
    copy_back(result, parent);
}

void find_foreign_neighbours(std::span<const std::int64_t> index, int k,
                             std::span<const std::int32_t> kstar,
                             std::span<const std::int32_t> label,
                             std::span<const std::uint8_t> is_centre, std::int64_t first_row,
                             std::span<std::int64_t> foreign) {
    const auto neighbour = on_device(index);
    const auto used = on_device(kstar);
    const auto cluster = on_device(label);
    const auto centre = on_device(is_centre);
    const auto result = room_on_device(foreign);
    for_each_row(
        "density_peaks/borders", kstar.size(), KOKKOS_LAMBDA(std::size_t row) {
            const std::int64_t self = first_row + static_cast<std::int64_t>(row);
            result(row) = -1;
            if (centre(self) != 0) return;
            for (int rank = 0; rank < used(row) && result(row) < 0; ++rank) {
                const std::int64_t other = neighbour(row * k + rank);
                if (cluster(other) != cluster(self)) result(row) = other;
            }
        });
    Kokkos::fence();
    copy_back(result, foreign);
}

}  // namespace nanoatlas::kernels::kokkos
