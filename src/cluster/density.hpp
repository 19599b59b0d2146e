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

/// Log density by the k* nearest neighbours, as if it were constant over them: log of k* over N
/// volumes of the ball of the k*-th, with error 1 / sqrt(k*); DADApy's compute_density_kstarNN.
/// Noisier in its k* than PAk where the density has a slope. Collective. Arguments as there.
Density kstar_nn_density(const Neighbours& neighbours, double dimension,
                         const comm::Communicator& comm);

/// The same with one k for all points, DADApy's compute_density_kNN.
///
/// k       in [1, neighbours.k - 1]
/// throws  InputError if it is not, and as above
Density k_nn_density(const Neighbours& neighbours, double dimension, int k,
                     const comm::Communicator& comm);

}  // namespace nanoatlas::cluster
