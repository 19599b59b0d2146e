// Directions in which wide rows differ most: what lets the search for neighbours leave out pairs.
#pragma once

#include <cstdint>

#include "cluster/row_sample.hpp"
#include "comm/communicator.hpp"
#include "kernels/kokkos/neighbours.hpp"

namespace nanoatlas::cluster {

/// Collective. Gives the frame the leading directions of a sample of up to 1,024 rows, as many as
/// the sample promises to pay for k neighbours of `rows` rows; none where comparing all pairs is
/// faster, or where there are few columns or rows. Subspace iteration from a random start (Halko,
/// Martinsson, Tropp, SIAM Review 53 (2011) 217); drawn by the number of rows alone.
/// throws what reading throws, on all ranks
void add_leading_directions(kernels::kokkos::Frame& frame, std::int64_t rows, int k,
                            const ReadRow& read, const comm::Communicator& comm);

}  // namespace nanoatlas::cluster
