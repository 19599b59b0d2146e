// A few rows of all ranks, from which the search for neighbours learns what pays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "comm/communicator.hpp"
#include "kernels/kokkos/row_layout.hpp"

namespace nanoatlas::cluster {

/// The values of row `number`, one of this rank's; not collective.
using ReadRow = std::function<std::vector<double>(std::int64_t number)>;

/// One of each of so many equal stretches of the rows, or all if there are no more: [size, columns]
/// in the scale of the frame, the same on all ranks, drawn by the number of rows alone. Collective.
/// throws what reading throws, on all ranks
std::vector<float> sample_rows(const kernels::kokkos::Frame& frame, std::int64_t rows,
                               std::int64_t size, const ReadRow& read,
                               const comm::Communicator& comm);

}  // namespace nanoatlas::cluster
