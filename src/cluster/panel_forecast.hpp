// Whether the search for neighbours in few columns will find panels that it need not look at.
#pragma once

#include <cstdint>

#include "cluster/row_sample.hpp"
#include "comm/communicator.hpp"
#include "kernels/kokkos/neighbours.hpp"

namespace nanoatlas::cluster {

/// Has all pairs compared, if a sample of 1,024 rows says that hardly a panel will be out of reach,
/// as of noise in 30 columns or more: each pair is multiplied once then and not twice. Not where
/// there are few rows or columns, nor where a rank's pools of candidates would be large.
/// Collective. throws what reading throws, on all ranks
void choose_panels_or_pairs(kernels::kokkos::Frame& frame, std::int64_t rows, int k,
                            const ReadRow& read, const comm::Communicator& comm);

}  // namespace nanoatlas::cluster
