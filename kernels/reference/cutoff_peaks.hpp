// Density peaks by a cutoff distance, as the paper has them, with the whole matrix of distances.
//
// Rodriguez, Laio, Science 344 (2014) 1492.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace nanoatlas::kernels::reference {

struct CutoffPeaks {
    std::vector<double> density;       ///< [n] sum over the other rows
    std::vector<double> delta;         ///< [n] distance to the parent; the densest: the largest
    std::vector<std::int64_t> parent;  ///< [n] nearest denser row, of equals the first; -1: densest
    std::vector<std::int64_t> centre;  ///< [K] ascending
    std::vector<std::int32_t> label;   ///< [n]
    std::vector<std::uint8_t> halo;    ///< [n] not denser than the border of its cluster
};

/// gaussian: exp(-(d / cutoff)^2) for each other row, else 1 for those below the cutoff. Of rows
/// equally dense the first counts as denser. clusters: rows of the largest density * delta are
/// centres, of equal ones the first.
CutoffPeaks cutoff_peaks(std::span<const double> rows, std::size_t columns, double cutoff,
                         bool gaussian, std::size_t clusters);

/// The distance below which a share of all pairs of rows lies.
double pair_distance_at(std::span<const double> rows, std::size_t columns, double share);

}  // namespace nanoatlas::kernels::reference
