// How far each point is from the nearest one of higher density.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"

namespace nanoatlas::atlas {

/// The separation of the decision graph (Rodriguez, Laio, Science 344 (2014) 1492): distance to the
/// nearest point of higher density; of equal densities the lower row counts as higher. The point of
/// highest density gets its distance to the farthest point. Exact. Points are visited outwards
/// along the first column, so the work is small where that column spreads widely, as that of a PCA
/// does; at worst it is quadratic. Ranks share the points. Collective.
///
/// points   [N, columns], the same on every rank
/// density  [N]
/// returns  [N], on every rank
std::vector<float> separations(std::span<const float> points, std::int64_t columns,
                               std::span<const double> density, const comm::Communicator& comm);

}  // namespace nanoatlas::atlas
