// Density peaks by a cutoff distance: the method of 2014.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/kokkos/cutoff_peaks.hpp"
#include "store/matrix.hpp"

namespace nanoatlas::cluster {

struct CutoffPeaksOptions {
    double cutoff = 0;  ///< d_c, above 0
    kernels::kokkos::DensityKernel kernel = kernels::kokkos::DensityKernel::gaussian;
    int clusters = 0;  ///< K; 0: where density * delta, sorted, falls least by chance
};

/// K clusters, numbered by the row of their centre.
struct CutoffPeaks {
    std::vector<double> density;       ///< of this rank's rows: sum over all others
    std::vector<double> delta;         ///< distance to the parent; the densest row: the largest
    std::vector<std::int64_t> parent;  ///< nearest denser row; -1: the densest of all
    std::vector<std::int32_t> label;
    /// 1 where the density does not exceed that of the cluster's border: its densest row that has
    /// one of another cluster within the cutoff.
    std::vector<std::uint8_t> halo;
    std::vector<std::int64_t> centre;  ///< [K] rows, of all ranks

    std::int64_t clusters() const { return static_cast<std::int64_t>(centre.size()); }
};

/// Centres have the largest density * delta (of equal ones the first); each other row joins the
/// cluster of its nearest denser one. Of rows equally dense the first counts as denser. All
/// distances are computed, in f64, three times, and none are kept. Densities are rounded to
/// multiples of a unit so small that their sums are exact: the result is the same on any number of
/// ranks. Collective. Rodriguez, Laio, Science 344 (2014) 1492.
///
/// throws InputError if there are fewer than 2 rows, or options are out of range
CutoffPeaks cutoff_peaks(const store::Matrix<double>& matrix, const CutoffPeaksOptions& options,
                         const comm::Communicator& comm);

}  // namespace nanoatlas::cluster
