// The point-adaptive k-nearest-neighbour density (PAk), formula by formula.
//
// Rodriguez, d'Errico, Facco, Laio, J. Chem. Theory Comput. 14 (2018) 1206, in the conventions of
// DADApy (Glielmo et al., Patterns 3 (2022) 100589).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/reference/neighbours.hpp"

namespace nanoatlas::kernels::reference {

/// A point and its k-th neighbour stand in one density as long as twice the log-likelihood ratio
/// stays below this: chi-squared with one degree of freedom, p = 1e-6.
inline constexpr double kstar_threshold = 23.92812698;

/// Number of neighbours k* over which the density of each point is constant. At least 3 where the
/// lists are that long, at most k - 1.
std::vector<std::int32_t> kstar(const NeighbourLists& lists, std::size_t k, double dimension);

/// Log of the density of points per volume, divided by n.
std::vector<double> log_density(const NeighbourLists& lists, std::size_t k, double dimension,
                                std::span<const std::int32_t> kstar);

/// Standard error of the log density from k* neighbours.
double log_density_error(std::int32_t kstar);

}  // namespace nanoatlas::kernels::reference
