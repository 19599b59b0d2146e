// Rows that pass round the ranks in blocks, so that each rank sees all of them.
#pragma once

#include <cstdint>
#include <iterator>
#include <span>
#include <utility>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "store/matrix.hpp"

namespace nanoatlas::cluster {

/// By rank, as comm::row_block() says.
std::vector<comm::RowBlock> blocks_of_all_ranks(std::int64_t rows, const comm::Communicator& comm);

/// Rows [n, columns] and the order in which kernels lay them out; another's memory.
struct OrderedRows {
    std::span<const double> values;
    std::size_t columns;
    std::span<const std::int32_t> order;
};

/// Rows that pass round, with their order if they have one: each step this rank holds those of the
/// next rank up, and the ones after them come while it works.
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
    RowRing(const store::Matrix<double>& matrix, const comm::Communicator& comm)
        : RowRing(matrix, {}, comm) {
        is_ordered_ = false;
    }

    int steps() const { return comm_.size(); }
    std::span<const double> rows() const { return rows_; }
    std::span<const std::int32_t> order() const { return order_; }
    std::int64_t first_row() const { return present().first; }
    const comm::RowBlock& present() const { return block_at(step_); }

    int step() const { return step_; }

    /// Calls work() for the rows of each rank in turn, this one's first. Collective.
    template <class Work>
    void go_round(const Work& work) {
        go(steps(), work);
    }
    /// The same of the first so many ranks.
    template <class Work>
    void go(int steps, const Work& work) {
        while (true) {
            const bool is_last = step_ + 1 == steps;
            if (!is_last) start_transfer();
            work();
            if (is_last) return;
            advance();
        }
    }

    /// Sets the transfer of the next rows going, while the present ones are in use.
    void start_transfer() {
        if (step_ + 1 == steps()) return;
        const int below = (comm_.rank() + comm_.size() - 1) % comm_.size();
        const int above = (comm_.rank() + 1) % comm_.size();
        auto& incoming = buffers_[step_ % 2];
        const auto count = static_cast<std::size_t>(block_at(step_ + 1).count);
        incoming.rows.resize(count * columns_);
        start(comm_.start_receive(std::span<double>(incoming.rows), above, tag));
        start(comm_.start_send(rows_, below, tag));
        if (!is_ordered_) return;
        incoming.order.resize(count);
        start(comm_.start_receive(std::span<std::int32_t>(incoming.order), above, tag));
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
    bool is_ordered_ = true;
};

}  // namespace nanoatlas::cluster
