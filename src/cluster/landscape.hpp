// All peaks of a density and the saddles between them, significant or not.
#pragma once

#include <cstdint>
#include <vector>

#include "cluster/density.hpp"
#include "cluster/neighbours.hpp"
#include "cluster/saddles.hpp"

namespace nanoatlas::cluster {

/// M peaks, numbered by their rows. All but `label` is the same on every rank.
struct Landscape {
    std::vector<std::int64_t> centre;  ///< [M] rows, of all ranks
    std::vector<Peak> peak;            ///< [M]
    std::vector<Saddle> saddle;        ///< by (low, high)
    std::vector<std::int32_t> label;   ///< of this rank's rows: the peak that each leads up to
};

/// Centres are the points of highest g = log density - error in their k* neighbourhood; each other
/// point joins the nearest with a higher g. No density is looked up outside the lists, so nothing
/// is quadratic. Equal g go by row. Collective; the result is the same on any number of ranks. Each
/// rank holds four numbers for each of all rows while it works.
/// d'Errico, Facco, Laio, Rodriguez, Information Sciences 560 (2021) 476, in the conventions of
/// DADApy's compute_clustering_ADP.
Landscape find_landscape(const Neighbours& neighbours, const Density& density,
                         const comm::Communicator& comm);

}  // namespace nanoatlas::cluster
