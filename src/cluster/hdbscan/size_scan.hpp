// HDBSCAN at several least sizes of a cluster, from one set of lists, and how far the clusters stay
// the same when rows are left out.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cluster/hdbscan/hdbscan.hpp"
#include "cluster/stability.hpp"

namespace nanoatlas::cluster {

/// S values of min_cluster_size; what is said of each is that of a run with it.
struct SizeScan {
    std::vector<std::int64_t> min_cluster_size;  ///< [S] ascending
    std::vector<std::int32_t> label;             ///< [n, S] of this rank's rows, -1: noise
    std::vector<std::int64_t> clusters;          ///< [S]
    std::vector<double> noise;                   ///< [S] share of the rows
    std::vector<double> persistence;             ///< [S] mean over the clusters; none: NaN
    std::vector<double> validity;                ///< [S] relative_validity()
};

/// Where min_samples is given, all sizes share one tree; where it is that of the size (0), each has
/// its own. Collective.
///
/// reachability  with lists for samples_of() the largest size
/// options       its min_cluster_size is passed over
/// sizes         ascending, 2 or more
SizeScan scan_sizes(Reachability& reachability, const HdbscanOptions& options,
                    std::span<const std::int64_t> sizes);

/// Parts of the rows are clustered anew at each size of the scan, from their search of neighbours
/// on. Collective; the same on any number of ranks.
/// throws  InputError as the general measure_stability() does
Stability measure_stability(const Reachability& reachability, const HdbscanOptions& options,
                            const SizeScan& scan, const StabilityOptions& stability);

}  // namespace nanoatlas::cluster
