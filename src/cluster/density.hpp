// Density at each point, with its standard error.
#pragma once

#include <cstdint>
#include <vector>

#include "cluster/neighbours.hpp"

namespace nanoatlas::cluster {

/// Of this rank's rows.
struct Density {
    std::vector<double> log_density;  ///< log of the share of all points per volume
    std::vector<double> error;        ///< its standard error
    std::vector<std::int32_t> kstar;  ///< neighbours over which the density is constant
};

/// Log density of each point by the point-adaptive k-nearest-neighbour estimator, PAk, in the
/// conventions of DADApy. Collective.
/// Rodriguez, d'Errico, Facco, Laio, J. Chem. Theory Comput. 14 (2018) 1206.
///
/// neighbours  k at least 2; lists of 100 are customary
/// dimension   intrinsic dimension, > 0
/// throws      InputError if two rows coincide (their density is infinite): names both
Density pak_density(const Neighbours& neighbours, double dimension, const comm::Communicator& comm);

}  // namespace nanoatlas::cluster
