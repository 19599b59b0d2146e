// The frame in which kernels see rows: the mean of the columns and how far values go from it.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "comm/communicator.hpp"
#include "kernels/kokkos/neighbours.hpp"
#include "store/matrix.hpp"

namespace nanoatlas::cluster {

/// Collective; the same bits on any number of ranks: means are of values rounded to whole multiples
/// of a unit so small that it does not show (kernels/kokkos/fixed_point.hpp).
/// throws InputError if squared distances would leave the range of f64
kernels::kokkos::Frame make_frame(const store::Matrix<double>& matrix,
                                  const comm::Communicator& comm);

/// The same of rows that are not all in memory: for_each_part offers this rank's [n, columns], in
/// parts, and is called twice. total: rows of all ranks
using ForEachPart =
    std::function<void(const std::function<void(std::span<const double> rows)>& visit)>;
kernels::kokkos::Frame make_frame(std::int64_t total, std::size_t columns,
                                  const ForEachPart& for_each_part, const comm::Communicator& comm);

}  // namespace nanoatlas::cluster
