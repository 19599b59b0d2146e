// The intrinsic dimension against scale, as a chart.
#pragma once

#include <string>

#include "cluster/dimension.hpp"

namespace nanoatlas::atlas {

/// Gride and decimation over the mean distance of the neighbours they go by, with two standard
/// errors to either side.
std::string dimension_chart(const cluster::DimensionScales& found);

/// Out of dimension.json. throws InputError if it does not hold the curves: says so of `path`
cluster::DimensionScales read_dimension(const std::string& json, const std::string& path);

}  // namespace nanoatlas::atlas
