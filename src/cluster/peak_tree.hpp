// At which significance peaks merge: the clusters of every Z as one tree.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cluster/saddles.hpp"

namespace nanoatlas::cluster {

/// Nodes 0..M-1 are the peaks before merging, node M+m is merge m.
struct PeakMerge {
    std::int32_t a, b;    ///< nodes; a is that whose peak survives
    double significance;  ///< the Z above which they are one; not below those of a and b
};

/// Merges peaks until none has a saddle, the least significant pair first (of equal ones that of
/// the higher saddle, then of the lowest-numbered peaks): within the clusters that `survivor` makes
/// before any two of these, and below `significance`. So the merges below that Z make the clusters
/// of merge_peaks, to the row; those below another Z make a
/// clustering whose peaks are all significant, but merge_peaks, which goes by the height of
/// saddles, may draw some borders elsewhere.
///
/// survivor  [M] of merge_peaks at this significance
/// returns   by the order of merging; fewer than M-1 where saddles don't connect all peaks
std::vector<PeakMerge> peak_tree(std::span<const Peak> peaks, std::span<const Saddle> saddles,
                                 std::span<const std::int32_t> survivor, double significance);

}  // namespace nanoatlas::cluster
