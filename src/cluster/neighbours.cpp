#include "cluster/neighbours.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "base/progress.hpp"
#include "kernels/kokkos/neighbours.hpp"

namespace nanoatlas::cluster {
namespace {

constexpr int ring_tag = 1;

kernels::kokkos::Frame make_frame(const store::Matrix<double>& matrix,
                                  const comm::Communicator& comm) {
    const auto columns = static_cast<std::size_t>(matrix.columns);
    kernels::kokkos::Frame frame{std::vector<double>(columns), 0};
    for (std::size_t i = 0; i < matrix.values.size(); ++i)
        frame.centre[i % columns] += matrix.values[i] / static_cast<double>(matrix.rows.total);
    comm.sum(std::span(frame.centre));
    for (std::size_t i = 0; i < matrix.values.size(); ++i)
        frame.largest =
            std::max(frame.largest, std::abs(matrix.values[i] - frame.centre[i % columns]));
    frame.largest = comm.max(frame.largest);
    VALIDATE(frame.largest < 1e130 && (frame.largest == 0 || frame.largest > 1e-130),
             "values differ from their mean by up to {:.2g} (the squares of distances leave the "
             "range of 64-bit floating point); scale the matrix",
             frame.largest);
    if (frame.largest == 0) frame.largest = 1;  // all rows equal
    return frame;
}

// The rows that pass round: each step this rank holds the block of the next rank up.
class Ring {
  public:
    Ring(const store::Matrix<double>& matrix, const comm::Communicator& comm)
        : comm_(comm),
          blocks_(matrix.rows.total, comm.size()),
          columns_(static_cast<std::size_t>(matrix.columns)),
          held_(matrix.values) {}

    int steps() const { return comm_.size(); }
    std::span<const double> rows() const { return held_; }
    std::int64_t first_row() const { return block_at(step_).first; }

    /// Sets the transfer of the next block going, while the present one is in use.
    void start_transfer() {
        if (step_ + 1 == steps()) return;
        const int below = (comm_.rank() + comm_.size() - 1) % comm_.size();
        const int above = (comm_.rank() + 1) % comm_.size();
        auto& incoming = buffers_[step_ % 2];
        incoming.resize(static_cast<std::size_t>(block_at(step_ + 1).count) * columns_);
        receiving_ = comm_.start_receive(std::span<double>(incoming), above, ring_tag);
        sending_ = comm_.start_send(held_, below, ring_tag);
    }

    void advance() {
        for (auto* requests : {&receiving_, &sending_}) {
            for (auto& request : *requests) request.wait();
            requests->clear();
        }
        held_ = buffers_[step_++ % 2];
    }

  private:
    comm::RowBlock block_at(int step) const {
        return blocks_.block((comm_.rank() + step) % comm_.size());
    }

    const comm::Communicator& comm_;
    comm::BlockDistribution blocks_;
    std::size_t columns_;
    std::span<const double> held_;
    std::vector<double> buffers_[2];
    std::vector<comm::Request> receiving_, sending_;
    int step_ = 0;
};

}  // namespace

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
    kernels::kokkos::NeighbourSearch search(matrix.values, matrix.rows.first, frame, lists.index,
                                            lists.distance);
    Ring ring(matrix, comm);
    base::Progress progress("cluster/neighbours", matrix.rows.count * ring.steps(), "rows");
    for (int step = 0; step < ring.steps(); ++step) {
        ring.start_transfer();
        search.add(ring.rows(), ring.first_row(),
                   [&](std::size_t rows) { progress.advance(static_cast<std::int64_t>(rows)); });
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
