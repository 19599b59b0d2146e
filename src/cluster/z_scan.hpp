// Clusters at several significances Z from one landscape, and how far they stay the same when rows
// are left out.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "cluster/density.hpp"
#include "cluster/landscape.hpp"

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

/// Of T subsamples, each [S, T].
struct Stability {
    std::vector<double> ari, ami;        ///< agreement with the labels of all rows
    std::vector<std::int64_t> clusters;  ///< found in the subsample
    int subsamples = 0;                  ///< T
};

struct StabilityOptions {
    int subsamples = 0;
    double share = 0.8;  ///< of the rows
    std::uint64_t seed = 1;
};

/// Gives this rank's rows their densities out of their lists. Collective.
using DensityEstimator = std::function<Density(const Neighbours&)>;

/// Each subsample is clustered anew out of the lists of all rows: its neighbours, densities, peaks
/// and saddles; its labels at each Z are held to those of the same
/// rows among all (as in Ben-Hur, Elisseeff, Guyon, Pac. Symp. Biocomput. 2002, 6). Collective; the
/// same on any number of ranks.
///
/// scan     of all rows
/// throws   InputError as neighbours_among, or if fewer than 3 rows are left
Stability measure_stability(const Neighbours& neighbours, const DensityEstimator& density_of,
                            const ZScan& scan, const StabilityOptions& options,
                            const comm::Communicator& comm);

}  // namespace nanoatlas::cluster
