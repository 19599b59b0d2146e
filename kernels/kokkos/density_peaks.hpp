// The per-point steps of advanced density peaks; what they compute: reference/density_peaks.hpp.
//
// n rows of this rank, numbered from first_row on, among N of all ranks. index [n, k] and kstar [n]
// are this rank's; g, label and is_centre are [N].
#pragma once

#include <cstdint>
#include <span>

namespace nanoatlas::kernels::kokkos {

/// 1 where no neighbour within k* has a higher g.
void find_local_maxima(std::span<const std::int64_t> index, int k,
                       std::span<const std::int32_t> kstar, std::span<const double> g,
                       std::int64_t first_row, std::span<std::uint8_t> is_maximum);

/// Whose cluster each point joins: the nearest in its list that is a centre, or has a higher g, or
/// the same and a lower number. A centre is its own parent; -1 where the list holds none.
void find_parents(std::span<const std::int64_t> index, int k, std::span<const double> g,
                  std::span<const std::uint8_t> is_centre, std::int64_t first_row,
                  std::span<std::int64_t> parent);

/// The nearest neighbour within k* that belongs to another cluster; -1 if none does, and for
/// centres, which stand on no border.
void find_foreign_neighbours(std::span<const std::int64_t> index, int k,
                             std::span<const std::int32_t> kstar,
                             std::span<const std::int32_t> label,
                             std::span<const std::uint8_t> is_centre, std::int64_t first_row,
                             std::span<std::int64_t> foreign);

}  // namespace nanoatlas::kernels::kokkos
