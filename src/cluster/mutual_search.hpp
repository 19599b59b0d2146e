// Neighbours of rows of which all pairs are compared, each pair once over all ranks.
#pragma once

#include "cluster/neighbours.hpp"
#include "kernels/kokkos/neighbours.hpp"

namespace nanoatlas::cluster {

/// Fills the lists. Rows go half round the ring, in parts, and what is known of their neighbours
/// goes with them: at each rank they meet its rows, and both sides take what they find; in the end
/// their lists are sent home. Collective.
/// frame: of the route `pairs`
/// at_once: about so many rows are on their way together, more if it takes more to keep all threads
/// busy
void search_mutually(const store::Matrix<double>& matrix, const kernels::kokkos::Frame& frame,
                     std::int64_t at_once, Neighbours& lists, const comm::Communicator& comm);

}  // namespace nanoatlas::cluster
