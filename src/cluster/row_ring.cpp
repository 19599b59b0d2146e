#include "cluster/row_ring.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"

namespace nanoatlas::cluster {

kernels::kokkos::Frame make_frame(std::int64_t total, std::size_t columns,
                                  const ForEachPart& for_each_part,
                                  const comm::Communicator& comm) {
    kernels::kokkos::Frame frame{std::vector<double>(columns), 0};
    for_each_part([&](std::span<const double> rows) {
        for (std::size_t i = 0; i < rows.size(); ++i)
            frame.centre[i % columns] += rows[i] / static_cast<double>(total);
    });
    comm.sum(std::span(frame.centre));
    for_each_part([&](std::span<const double> rows) {
        for (std::size_t i = 0; i < rows.size(); ++i)
            frame.largest = std::max(frame.largest, std::abs(rows[i] - frame.centre[i % columns]));
    });
    frame.largest = comm.max(frame.largest);
    VALIDATE(frame.largest < 1e130 && (frame.largest == 0 || frame.largest > 1e-130),
             "values differ from their mean by up to {:.2g} (the squares of distances leave the "
             "range of 64-bit floating point); scale the matrix",
             frame.largest);
    if (frame.largest == 0) frame.largest = 1;  // all rows equal
    return frame;
}

kernels::kokkos::Frame make_frame(const store::Matrix<double>& matrix,
                                  const comm::Communicator& comm) {
    return make_frame(
        matrix.rows.total, static_cast<std::size_t>(matrix.columns),
        [&](const auto& visit) { visit(matrix.values); }, comm);
}

std::vector<comm::RowBlock> blocks_of_all_ranks(std::int64_t rows, const comm::Communicator& comm) {
    const comm::BlockDistribution blocks(rows, comm.size());
    std::vector<comm::RowBlock> all;
    for (int rank = 0; rank < comm.size(); ++rank) all.push_back(blocks.block(rank));
    return all;
}

}  // namespace nanoatlas::cluster
