// The saddles between clusters, and which peaks stand above them significantly.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace nanoatlas::cluster {

/// Where two clusters meet: the border point of highest g (log density less its error).
struct Saddle {
    std::int32_t low, high;  ///< the clusters, low < high
    double density, error;   ///< log density of the point, and its standard error
};

struct Peak {
    double density, error;  ///< log density at the centre, and its standard error
};

struct MergedPeaks {
    /// [peaks] the surviving peak that each belongs to; itself if it survives.
    std::vector<std::int32_t> survivor;
    /// Between surviving peaks, by (low, high).
    std::vector<Saddle> saddles;
};

/// Merges peaks that are not significant, the one across the highest saddle first (of equal ones
/// that of the lowest-numbered clusters). A peak is significant if it stands above the saddle by
/// `significance` times the sum of their errors; of the two, the one that does so by the greater
/// multiple takes the other's points and saddles.
/// d'Errico et al., Information Sciences 560 (2021) 476, heuristic 3, as in DADApy.
MergedPeaks merge_peaks(std::span<const Peak> peaks, std::span<const Saddle> saddles,
                        double significance);

}  // namespace nanoatlas::cluster
