// The mean of the columns and how far values go from it, to the bit on any number of ranks.
#pragma once

#include "kernels/kokkos/neighbours.hpp"
#include "store/matrix.hpp"

namespace nanoatlas::cluster {

/// Collective. Means are of values rounded to whole multiples of a unit so small that it does not
/// show (kernels/kokkos/nearest_centres.hpp, FixedPoint), so that sums are exact in any order.
/// throws InputError if squared distances leave the range of f64
kernels::kokkos::Frame exact_frame(const store::Matrix<double>& matrix,
                                   const comm::Communicator& comm);

}  // namespace nanoatlas::cluster
