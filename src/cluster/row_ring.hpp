// Rows that pass round the ranks in blocks, and the frame in which kernels see them.
#pragma once

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

/// Each step this rank holds the block of the next rank up.
class RowRing {
  public:
    RowRing(const store::Matrix<double>& matrix, const comm::Communicator& comm)
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
        receiving_ = comm_.start_receive(std::span<double>(incoming), above, tag);
        sending_ = comm_.start_send(held_, below, tag);
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

    static constexpr int tag = 1;

    const comm::Communicator& comm_;
    comm::BlockDistribution blocks_;
    std::size_t columns_;
    std::span<const double> held_;
    std::vector<double> buffers_[2];
    std::vector<comm::Request> receiving_, sending_;
    int step_ = 0;
};

}  // namespace nanoatlas::cluster
