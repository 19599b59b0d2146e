// The sums and minima over all distances that density peaks by a cutoff distance are made of.
// Blocks of rows b come by one after another, in any order; what they compute:
// reference/cutoff_peaks.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace nanoatlas::kernels::kokkos {

/// How much a row at some distance adds to a density.
enum class DensityKernel {
    gaussian,  ///< exp(-(distance / cutoff)^2)
    count      ///< 1 below the cutoff
};

/// density[i] += the sum over rows of b. Terms are rounded to multiples of 2^-bits, so that sums
/// below 2^(52 - bits) are exact and don't depend on the order.
///
/// a [m, columns], b [n, columns]; density [m]
void add_density(std::span<const double> a, std::span<const double> b, std::size_t columns,
                 double cutoff, DensityKernel kernel, int bits, std::span<double> density);

/// Rows with what is known of them, the first of them row first_row of all.
struct RankedRows {
    std::span<const double> values;   ///< [n, columns]
    std::span<const double> density;  ///< [n]
    std::int64_t first_row;
};

/// Where a row of b that is denser (of equal ones: comes before) is nearer to row i of a than
/// squared[i] says, notes its number and squared distance; of equally near ones the first counts.
/// nearest is -1 at first.
void update_nearest_denser(const RankedRows& a, const RankedRows& b, std::size_t columns,
                           std::span<std::int64_t> nearest, std::span<double> squared);

/// on_border[i] = 1 if a row of b with another label lies within the cutoff (at most it) of row i.
void mark_borders(std::span<const double> a, std::span<const std::int32_t> label_of_a,
                  std::span<const double> b, std::span<const std::int32_t> label_of_b,
                  std::size_t columns, double cutoff, std::span<std::uint8_t> on_border);

}  // namespace nanoatlas::kernels::kokkos
