#include "cluster/row_ring.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"

namespace nanoatlas::cluster {

kernels::kokkos::Frame make_frame(const store::Matrix<double>& matrix,
                                  const comm::Communicator& comm) {
    const auto columns = static_cast<std::size_t>(matrix.columns);
    kernels::kokkos::Frame frame{std::vector<double>(columns), 0};
    for (std::int64_t i = 0; i < matrix.rows.count; ++i)
        for (std::size_t c = 0; c < columns; ++c)
            frame.centre[c] += matrix.row(i)[c] / static_cast<double>(matrix.rows.total);
    comm.sum(std::span(frame.centre));
    for (std::int64_t i = 0; i < matrix.rows.count; ++i)
        for (std::size_t c = 0; c < columns; ++c)
            frame.largest = std::max(frame.largest, std::abs(matrix.row(i)[c] - frame.centre[c]));
    frame.largest = comm.max(frame.largest);
    VALIDATE(frame.largest < 1e130 && (frame.largest == 0 || frame.largest > 1e-130),
             "values differ from their mean by up to {:.2g} (the squares of distances leave the "
             "range of 64-bit floating point); scale the matrix",
             frame.largest);
    if (frame.largest == 0) frame.largest = 1;  // all rows equal
    return frame;
}

}  // namespace nanoatlas::cluster
