// Rows that pass round the ranks in blocks, and the frame in which kernels see them.
#pragma once

#include <cstdint>
#include <functional>
#include <iterator>
#include <span>
#include <utility>
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
/// The same of rows that are not all in memory: for_each_part offers this rank's [n, columns], in
/// parts, and is called twice. total: rows of all ranks
using ForEachPart =
    std::function<void(const std::function<void(std::span<const double> rows)>& visit)>;
kernels::kokkos::Frame make_frame(std::int64_t total, std::size_t columns,
                                  const ForEachPart& for_each_part, const comm::Communicator& comm);

/// By rank, as comm::row_block() says.
std::vector<comm::RowBlock> blocks_of_all_ranks(std::int64_t rows, const comm::Communicator& comm);

/// Rows [n, columns] and the order in which kernels lay them out; another's memory.
struct OrderedRows {
    std::span<const double> values;
    std::size_t columns;
    std::span<const std::int32_t> order;
};

/// Rows that pass round, with their order: each step this rank holds those of the next rank up.
class RowRing {
  public:
    /// own: this rank's rows, which must outlive the ring; ranges: those that each rank brings
    RowRing(const OrderedRows& own, std::vector<comm::RowBlock> ranges,
            const comm::Communicator& comm)
        : comm_(comm),
          ranges_(std::move(ranges)),
          columns_(own.columns),
          rows_(own.values),
          order_(own.order) {}
    RowRing(const store::Matrix<double>& matrix, std::span<const std::int32_t> order,
            const comm::Communicator& comm)
        : RowRing({matrix.values, static_cast<std::size_t>(matrix.columns), order},
                  blocks_of_all_ranks(matrix.rows.total, comm), comm) {}

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
    const comm::RowBlock& block_at(int step) const {
        return ranges_[static_cast<std::size_t>((comm_.rank() + step) % comm_.size())];
    }

    const comm::Communicator& comm_;
    std::vector<comm::RowBlock> ranges_;
    std::size_t columns_;
    std::span<const double> rows_;
    std::span<const std::int32_t> order_;
    Buffer buffers_[2];
    std::vector<comm::Request> requests_;
    int step_ = 0;
};

}  // namespace nanoatlas::cluster
