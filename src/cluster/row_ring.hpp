// Rows that pass round the ranks in blocks, so that each rank sees all of them.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "kernels/kokkos/neighbours.hpp"
#include "store/matrix.hpp"

namespace nanoatlas::cluster {

/// By rank, as comm::row_block() says.
std::vector<comm::RowBlock> blocks_of_all_ranks(std::int64_t rows, const comm::Communicator& comm);

/// Part number `part` of a block cut into parts of `at_once` rows; empty beyond its end.
comm::RowBlock part_of(const comm::RowBlock& block, std::int64_t part, std::int64_t at_once);

/// Of an order of rows, that of some of them, counted from the first of these.
/// rows: what `order` counts from 0 on
std::vector<std::int32_t> order_of_part(std::span<const std::int32_t> order,
                                        const comm::RowBlock& rows, const comm::RowBlock& part);

/// Rows [n, columns], and what is known of each of them; another's memory.
struct OrderedRows {
    std::span<const double> values;
    std::size_t columns;
    kernels::kokkos::LayoutView layout = {};
    kernels::kokkos::LayoutWidths widths = {};
    bool are_in_f32 = false;  ///< the layout has them so, and they go round as that
};

/// For the search for neighbours. What has to be the same on all ranks of a layout is made so.
/// Collective.
OrderedRows ordered_rows(std::span<const double> values, kernels::kokkos::Layout& layout,
                         const kernels::kokkos::Frame& frame, const comm::Communicator& comm);

/// Rows that pass round, with their order and what else is known of them, if anything: at first
/// this rank holds its own, then each step those of the next rank up, and the ones after them come
/// while it works. Large blocks go round in parts, one part of all ranks after the other, so that
/// the rows on their way need little room.
class RowRing {
  public:
    static constexpr int all_ranks = std::numeric_limits<int>::max();

    /// own: this rank's rows, which must outlive the ring; ranges: those that each rank brings;
    /// at_once: rows that are on their way together, or all; hops: rows come from the next so many
    /// ranks up, or from all
    RowRing(const OrderedRows& own, std::vector<comm::RowBlock> ranges,
            const comm::Communicator& comm,
            std::int64_t at_once = std::numeric_limits<std::int64_t>::max(), int hops = all_ranks);
    RowRing(const store::Matrix<double>& matrix, std::span<const std::int32_t> order,
            const comm::Communicator& comm, int hops = all_ranks)
        : RowRing({matrix.values, static_cast<std::size_t>(matrix.columns), with_order(order)},
                  blocks_of_all_ranks(matrix.rows.total, comm), comm,
                  std::numeric_limits<std::int64_t>::max(), hops) {}
    explicit RowRing(const store::Matrix<double>& matrix, const comm::Communicator& comm,
                     int hops = all_ranks)
        : RowRing(matrix, {}, comm, hops) {
        is_ordered_ = false;
    }

    int steps() const { return 1 + parts_ * hops_; }
    /// None but the own, where they go round in f32.
    std::span<const double> rows() const { return rows_.values; }
    std::span<const std::int32_t> order() const { return rows_.layout.order; }
    const kernels::kokkos::LayoutView& layout() const { return rows_.layout; }
    std::int64_t first_row() const { return present().first; }
    comm::RowBlock present() const { return rows_at(step_); }

    std::int64_t at_once() const { return at_once_; }

    /// Of all ranges together.
    std::int64_t total() const { return total_; }

    int step() const { return step_; }

    /// Which rows are here at a step, by how many ranks they have come down, and which part of
    /// their rank's they are.
    comm::RowBlock rows_at(int step) const {
        const auto rank = static_cast<std::size_t>((comm_.rank() + hop(step)) % comm_.size());
        return step == 0 ? ranges_[rank] : part_of(ranges_[rank], part(step), at_once_);
    }
    int hop(int step) const { return step == 0 ? 0 : (step - 1) % hops_ + 1; }
    int part(int step) const { return step == 0 ? 0 : (step - 1) / hops_; }

    /// Where rows go half round, those of two ranks that are compared here: own ones below own_end
    /// with visitors from `first` on.
    struct Meeting {
        std::int64_t own_end, first;
    };
    /// Two ranks opposite each other both meet: each takes half of the lower's rows, cut at a
    /// multiple of `whole`.
    Meeting meeting(int step, std::int64_t whole = 1) const;

    /// Calls work() for the rows of each rank in turn, this one's first. Collective.
    template <class Work>
    void go_round(const Work& work) {
        while (true) {
            const bool is_last = step_ + 1 == steps();
            if (!is_last) start_transfer();
            work();
            if (is_last) return;
            advance();
        }
    }

    /// Drives the transfer.
    void poll() {
        for (auto& request : requests_) request.test();
    }

  private:
    struct Buffer {
        kernels::kokkos::Unfilled<double> values;
        kernels::kokkos::Unfilled<std::int32_t> order;
        kernels::kokkos::Unfilled<float> norm2, leading, exact, step;
        kernels::kokkos::Unfilled<std::int16_t> numbers;
        OrderedRows rows;  // that have come
    };
    static kernels::kokkos::LayoutView with_order(std::span<const std::int32_t> order) {
        kernels::kokkos::LayoutView layout;
        layout.order = order;
        return layout;
    }
    static constexpr int tag = 1;

    // Sets the transfer of the next rows going, while the present ones are in use.
    void start_transfer();

    void advance() {
        for (auto& request : requests_) request.wait();
        requests_.clear();
        rows_ = buffers_[step_++ % 2].rows;
    }

    bool is_own_turn() const { return hop(step_ + 1) == 1; }
    OrderedRows own_part();

    const comm::Communicator& comm_;
    std::vector<comm::RowBlock> ranges_;
    std::int64_t at_once_;
    int parts_, hops_;
    std::int64_t total_ = 0;
    OrderedRows own_;
    std::vector<std::int32_t> own_part_order_;
    OrderedRows rows_;  // present
    Buffer buffers_[2];
    std::vector<comm::Request> requests_;
    int step_ = 0;
    bool is_ordered_ = true;
};

}  // namespace nanoatlas::cluster
