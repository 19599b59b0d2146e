// A cutoff distance for density peaks: that below which a share of all rows lies, on average.
#pragma once

#include <cstdint>

#include "store/matrix.hpp"

namespace nanoatlas::cluster {

/// The distance below which `share` of the distances between rows lie, to a 2^-20 of the largest;
/// of all pairs up to 1,024 rows, beyond that of 1,024 rows drawn by the seed with all others.
/// Collective; the same bits on any number of ranks.
///
/// share    of the other rows, above 0 and below 1
/// returns  0 if so many rows coincide
double cutoff_distance(const store::Matrix<double>& matrix, double share, std::uint64_t seed,
                       const comm::Communicator& comm);

}  // namespace nanoatlas::cluster
