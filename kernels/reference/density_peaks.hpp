// Advanced density peaks, step by step as the paper has it, with whole matrices of clusters.
//
// d'Errico, Facco, Laio, Rodriguez, Information Sciences 560 (2021) 476, in the conventions of
// DADApy's compute_clustering_ADP.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/reference/neighbours.hpp"

namespace nanoatlas::kernels::reference {

struct Peaks {
    std::vector<std::int32_t> label;   ///< [n], clusters numbered by the index of their centre
    std::vector<std::uint8_t> halo;    ///< [n] less dense than the highest saddle of its cluster
    std::vector<std::int64_t> centre;  ///< [K]
    /// [K, K] log density and its error where two clusters meet; NaN where they do not.
    std::vector<double> saddle_density, saddle_error;
};

/// significance: Z, the number of standard errors by which a peak must stand above a saddle
Peaks density_peaks(const NeighbourLists& lists, std::size_t k, std::span<const double> log_density,
                    std::span<const double> error, std::span<const std::int32_t> kstar,
                    double significance);

}  // namespace nanoatlas::kernels::reference
