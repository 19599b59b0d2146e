// How many threads a rank may use, so that ranks, Kokkos, BLAS and oneDNN share the cores.
#pragma once

#include "comm/communicator.hpp"

namespace nanoatlas::comm {

/// OMP_NUM_THREADS where it is set; else the cores that this node's ranks may run on, shared out
/// evenly among them, at least 1. Collective.
int threads_of_this_rank(const Communicator& world);

/// Gives that number to OpenMP, and with it to Kokkos, OpenBLAS and oneDNN, which all draw on its
/// one pool. Collective. Returns it.
int apply_threads(const Communicator& world);

}  // namespace nanoatlas::comm
