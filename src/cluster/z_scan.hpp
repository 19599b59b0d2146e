// Clusters at several significances Z from one landscape, and how far they stay the same when rows
// are left out.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "cluster/density.hpp"
#include "cluster/landscape.hpp"
#include "cluster/stability.hpp"

namespace nanoatlas::cluster {

/// S values of Z. Labels at each are those of a run at that Z.
struct ZScan {
    std::vector<double> significance;    ///< [S] ascending
    std::vector<std::int32_t> label;     ///< [n, S] of this rank's rows
    std::vector<std::int64_t> clusters;  ///< [S]
};

/// Collective.
///
/// significance  ascending, each 0 or more
ZScan scan_significance(const Landscape& landscape, std::span<const double> significance);

/// Gives this rank's rows their densities out of their lists. Collective.
using DensityEstimator = std::function<Density(const Neighbours&)>;

/// Parts of the rows get their neighbours out of the lists of all, and densities, peaks and saddles
/// anew. Collective; the same on any number of ranks.
///
/// scan     of all rows
/// throws   InputError as neighbours_among and the general measure_stability() do
Stability measure_stability(const Neighbours& neighbours, const DensityEstimator& density_of,
                            const ZScan& scan, const StabilityOptions& options,
                            const comm::Communicator& comm);

}  // namespace nanoatlas::cluster
