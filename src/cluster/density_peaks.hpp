// Advanced density peaks: clusters as the significant peaks of the density.
#pragma once

#include <cstdint>
#include <vector>

#include "cluster/density.hpp"
#include "cluster/landscape.hpp"
#include "cluster/neighbours.hpp"

namespace nanoatlas::cluster {

struct DensityPeaksOptions {
    /// Z: how many standard errors a peak must stand above the saddles to others.
    double significance = 1.65;
};

/// K clusters, numbered by the row of their centre.
struct DensityPeaks {
    std::vector<std::int32_t> label;  ///< of this rank's rows; every row has a cluster
    /// Of this rank's rows: 1 where the density is below the highest saddle of the row's cluster,
    /// so that its membership is not certain.
    std::vector<std::uint8_t> halo;
    std::vector<std::int64_t> centre;  ///< [K] rows, of all ranks
    /// [K, K] log density where two clusters meet and its error, as DADApy gives them: where two
    /// don't meet, a density one below the least log density less Z errors, and error 0; on the
    /// diagonal one less still.
    std::vector<double> saddle_density, saddle_error;

    std::int64_t clusters() const { return static_cast<std::int64_t>(centre.size()); }
};

/// Peaks of the landscape that don't stand out from their saddles are merged. Collective; the same
/// on any number of ranks.
///
/// throws InputError if significance is negative or not a number
DensityPeaks significant_peaks(const Landscape& landscape, const Density& density,
                               const DensityPeaksOptions& options, const comm::Communicator& comm);

/// The same with the landscape that is found first.
DensityPeaks density_peaks(const Neighbours& neighbours, const Density& density,
                           const DensityPeaksOptions& options, const comm::Communicator& comm);

}  // namespace nanoatlas::cluster
