// The point-adaptive density (PAk) from neighbour lists; what it computes: reference/density.hpp.
//
// What a point needs of its neighbours comes in as arrays, so the lists may lie on many ranks.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace nanoatlas::kernels::kokkos {

/// The likelihood-ratio test as a bound on radii, without logarithms: the volumes a ball needs for
/// r neighbours at two points, V and V', pass while 4 r log cosh(log(V/V') / 2) <= threshold. So
/// limits[r] is the greatest admissible ratio of the two radii, greater over smaller.
std::vector<double> kstar_ratio_limits(double dimension, int k);

/// One round of the search for k*. Tests ranks r of [first_rank, first_rank + width): the distance
/// of the r-th neighbour against `partner`, the distance of the r-th neighbour of neighbour r + 1.
/// A row whose test fails gets that rank as its k* and is closed.
///
/// distance  [n, k]; limits [k]; partner [n, width], read for open rows only
/// kstar     [n]: first_rank before, first_rank + width after if the row is still open
void extend_kstar(std::span<const double> distance, int k, std::span<const double> limits,
                  std::span<const double> partner, int first_rank, int width,
                  std::span<std::int32_t> kstar, std::span<std::uint8_t> open);

/// Log of the density of points per volume, not yet divided by their number.
/// distance [n, k], no zeros; kstar [n], in [1, k]
void log_density(std::span<const double> distance, int k, double dimension,
                 std::span<const std::int32_t> kstar, std::span<double> result);

}  // namespace nanoatlas::kernels::kokkos
