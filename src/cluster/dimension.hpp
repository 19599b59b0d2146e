// Intrinsic dimension: in how many directions the data really vary.
#pragma once

#include <cstdint>
#include <vector>

#include "cluster/neighbours.hpp"

namespace nanoatlas::cluster {

/// At one scale.
struct DimensionEstimate {
    double dimension = 0, error = 0;  ///< with its standard error
    double scale = 0;                 ///< mean distance of the neighbours that it was told by
    std::int64_t rows = 0;            ///< among which they were looked for
    int rank = 0;                     ///< of the farther one; of the nearer: half of it
};

/// Of one matrix, by all the ways below.
struct DimensionScales {
    DimensionEstimate fit, likelihood;                 ///< TWO-NN
    std::vector<DimensionEstimate> gride, decimation;  ///< over growing scales
};

/// Of the neighbours of that rank and of half of it. Collective.
double mean_distance(const Neighbours& neighbours, int rank, const comm::Communicator& comm);

/// TWO-NN: the ratio of the distances to the second and the first neighbour follows a Pareto law
/// whose exponent is the dimension. The exponent is the slope, through the origin, of
/// -log(1 - rank / N) against the log of the ratio over the lowest nine tenths of the ratios, as
/// in DADApy. Collective. Facco, d'Errico, Rodriguez, Laio, Scientific Reports 7 (2017) 12140.
///
/// neighbours  k at least 2
/// throws      InputError if two rows coincide, or if the ratios tell nothing (all of them 1)
double two_nn_dimension(const Neighbours& neighbours, const comm::Communicator& comm);

/// The same with the standard error of the slope, and as the maximum of the likelihood over all
/// ratios, (N - 1) / sum of their logs, whose standard error is that share of 1 / sqrt(N - 2).
DimensionEstimate two_nn_fit(const Neighbours& neighbours, const comm::Communicator& comm);
DimensionEstimate two_nn_likelihood(const Neighbours& neighbours, const comm::Communicator& comm);

/// Gride: TWO-NN with the neighbours of rank n and 2n, n = 1, 2, 4, ..., so over growing scales, by
/// maximum likelihood with the error of the Fisher information; ratios that coinciding rows may
/// have made are left out as in DADApy's return_id_scaling_gride. Collective.
/// Denti, Doimo, Laio, Mira, Scientific Reports 12 (2022) 20005.
///
/// throws  InputError if two rows coincide
std::vector<DimensionEstimate> gride(const Neighbours& neighbours, const comm::Communicator& comm);

/// TWO-NN in ever smaller parts of the rows, N/2, N/4, ... down to 32 of them, so over growing
/// scales: at each, the mean and its standard error over the fits of up to 16 parts that share no
/// row, drawn by the seed. Collective; the same on any number of ranks. Facco et al., as above.
///
/// matrix  rows that differ
std::vector<DimensionEstimate> decimated_two_nn(const store::Matrix<double>& matrix,
                                                std::uint64_t seed, const comm::Communicator& comm);

}  // namespace nanoatlas::cluster
