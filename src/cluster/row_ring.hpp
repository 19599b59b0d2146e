// Rows that pass round the ranks in blocks, and the frame in which kernels see them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "kernels/kokkos/neighbours.hpp"
#include "store/matrix.hpp"

namespace nanoatlas::cluster {

/// Collective. The mean of the rows and how far they reach from it.
/// throws InputError if squared distances would leave the range of f64
kernels::kokkos::Frame make_frame(const store::Matrix<double>& matrix,
                                  const comm::Communicator& comm);

/// Rows that pass round, with their order: each step this rank holds those of the next rank up.
class RowRing {
  public:
    /// order: in which kernels lay out this rank's rows; must outlive the ring
    RowRing(const store::Matrix<double>& matrix, std::span<const std::int32_t> order,
            const comm::Communicator& comm)
        : comm_(comm),
          blocks_(matrix.rows.total, comm.size()),
          columns_(static_cast<std::size_t>(matrix.columns)),
          rows_(matrix.values),
          order_(order) {}

    int steps() const { return comm_.size(); }
    std::span<const double> rows() const { return rows_; }
    std::span<const std::int32_t> order() const { return order_; }
    std::int64_t first_row() const { return block_at(step_).first; }

    /// Sets the transfer of the next rows going, while the present ones are in use.
    void start_transfer() {
        if (step_ + 1 == steps()) return;
        const int below = (comm_.rank() + comm_.size() - 1) % comm_.size();
        const int above = (comm_.rank() + 1) % comm_.size();
        auto& incoming = buffers_[step_ % 2];
        const auto count = static_cast<std::size_t>(block_at(step_ + 1).count);
        incoming.rows.resize(count * columns_);
        incoming.order.resize(count);
        start(comm_.start_receive(std::span<double>(incoming.rows), above, tag));
        start(comm_.start_receive(std::span<std::int32_t>(incoming.order), above, tag));
        start(comm_.start_send(rows_, below, tag));
        start(comm_.start_send(order_, below, tag));
    }

    /// Drives the transfer.
    void poll() {
        for (auto& request : requests_) request.test();
    }

    void advance() {
        for (auto& request : requests_) request.wait();
        requests_.clear();
        const auto& arrived = buffers_[step_++ % 2];
        rows_ = arrived.rows;
        order_ = arrived.order;
    }

  private:
    struct Buffer {
        std::vector<double> rows;
        std::vector<std::int32_t> order;
    };
    static constexpr int tag = 1;

    void start(std::vector<comm::Request> started) {
        std::move(started.begin(), started.end(), std::back_inserter(requests_));
    }
    comm::RowBlock block_at(int step) const {
        return blocks_.block((comm_.rank() + step) % comm_.size());
    }

    const comm::Communicator& comm_;
    comm::BlockDistribution blocks_;
    std::size_t columns_;
    std::span<const double> rows_;
    std::span<const std::int32_t> order_;
    Buffer buffers_[2];
    std::vector<comm::Request> requests_;
    int step_ = 0;
};

}  // namespace nanoatlas::cluster
