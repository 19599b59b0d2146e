// Intrinsic dimension: in how many directions the data really vary.
#pragma once

#include "cluster/neighbours.hpp"

namespace nanoatlas::cluster {

/// TWO-NN: the ratio of the distances to the second and the first neighbour follows a Pareto law
/// whose exponent is the dimension. The exponent is the slope, through the origin, of
/// -log(1 - rank / N) against the log of the ratio over the lowest nine tenths of the ratios, as
/// in DADApy. Collective. Facco, d'Errico, Rodriguez, Laio, Scientific Reports 7 (2017) 12140.
///
/// neighbours  k at least 2
/// throws      InputError if two rows coincide, or if the ratios tell nothing (all of them 1)
double two_nn_dimension(const Neighbours& neighbours, const comm::Communicator& comm);

}  // namespace nanoatlas::cluster
