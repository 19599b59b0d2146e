#include "cluster/neighbours.hpp"

#include "base/check.hpp"
#include "base/progress.hpp"
#include "cluster/row_ring.hpp"
#include "kernels/kokkos/neighbours.hpp"

namespace nanoatlas::cluster {

Neighbours find_neighbours(const store::Matrix<double>& matrix, int k,
                           const comm::Communicator& comm) {
    VALIDATE(k >= 1 && k < matrix.rows.total,
             "cannot list {} neighbours of {} rows (a row is not its own neighbour); ask for 1 to "
             "{}",
             k, matrix.rows.total, matrix.rows.total - 1);
    const auto size = static_cast<std::size_t>(matrix.rows.count * k);
    Neighbours lists{.rows = matrix.rows,
                     .k = k,
                     .index = std::vector<std::int64_t>(size),
                     .distance = std::vector<double>(size)};
    const auto frame = make_frame(matrix, comm);
    const auto order =
        kernels::kokkos::layout_order(matrix.values, static_cast<std::size_t>(matrix.columns));
    RowRing ring(matrix, order, comm);
    kernels::kokkos::NeighbourSearch search(matrix.values, ring.order(), matrix.rows.first, frame,
                                            lists.index, lists.distance);
    base::Progress progress("cluster/neighbours", matrix.rows.count * ring.steps(), "rows");
    for (int step = 0; step < ring.steps(); ++step) {
        ring.start_transfer();
        search.add(ring.rows(), ring.order(), ring.first_row(), [&](std::size_t rows) {
            progress.advance(static_cast<std::int64_t>(rows));
            ring.poll();
        });
        ring.advance();
    }
    search.finish();
    return lists;
}

void check_rows_differ(const Neighbours& neighbours, const comm::Communicator& comm) {
    std::vector<std::int64_t> coinciding;
    for (std::int64_t i = 0; i < neighbours.rows.count && coinciding.empty(); ++i)
        if (neighbours.distance_of(i)[0] == 0)
            coinciding = {neighbours.rows.first + i, neighbours.index_of(i)[0]};
    const auto found = comm.all_gather(coinciding);
    if (found.empty()) return;
    throw InputError(
        fmt::format("rows {} and {} coincide (the density there is infinite); keep one of them",
                    found[0], found[1]));
}

}  // namespace nanoatlas::cluster
