// Advanced density peaks: clusters as the significant peaks of the density.
#pragma once

#include <cstdint>
#include <vector>

#include "cluster/density.hpp"
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

/// Centres are the points of highest g = log density - error in their k* neighbourhood; each other
/// point joins the nearest with a higher g; peaks that don't stand out from their saddles are
/// merged. No density is looked up outside the lists, so nothing is quadratic. Equal g go by row.
/// Collective; the result is the same on any number of ranks. Each rank holds four numbers for
/// each of all rows while it works.
/// d'Errico, Facco, Laio, Rodriguez, Information Sciences 560 (2021) 476, in the conventions of
/// DADApy's compute_clustering_ADP.
///
/// throws InputError if significance is negative or not a number
DensityPeaks density_peaks(const Neighbours& neighbours, const Density& density,
                           const DensityPeaksOptions& options, const comm::Communicator& comm);

}  // namespace nanoatlas::cluster
