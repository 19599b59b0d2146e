#include "cluster/row_ring.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace nanoatlas::cluster {
namespace {

// Each rank has the largest block's; some may be empty.
int parts_of(const std::vector<comm::RowBlock>& ranges, std::int64_t at_once) {
    std::int64_t largest = 1;
    for (const auto& range : ranges) largest = std::max(largest, range.count);
    return static_cast<int>((largest - 1) / at_once + 1);
}

}  // namespace

std::vector<comm::RowBlock> blocks_of_all_ranks(std::int64_t rows, const comm::Communicator& comm) {
    const comm::BlockDistribution blocks(rows, comm.size());
    std::vector<comm::RowBlock> all;
    all.reserve(static_cast<std::size_t>(comm.size()));
    for (int rank = 0; rank < comm.size(); ++rank) all.push_back(blocks.block(rank));
    return all;
}

comm::RowBlock part_of(const comm::RowBlock& block, std::int64_t part, std::int64_t at_once) {
    const auto skipped = part == 0 ? 0 : part * at_once;
    const auto first = std::min(block.first + skipped, block.end());
    return {.first = first, .count = std::min(at_once, block.end() - first), .total = block.total};
}

std::vector<std::int32_t> order_of_part(std::span<const std::int32_t> order,
                                        const comm::RowBlock& rows, const comm::RowBlock& part) {
    std::vector<std::int32_t> of_part;
    of_part.reserve(static_cast<std::size_t>(part.count));
    for (const auto place : order) {
        const auto row = rows.first + place;
        if (row >= part.first && row < part.end())
            of_part.push_back(static_cast<std::int32_t>(row - part.first));
    }
    return of_part;
}

OrderedRows ordered_rows(std::span<const double> values, kernels::kokkos::Layout& layout,
                         const kernels::kokkos::Frame& frame, const comm::Communicator& comm) {
    const auto in_f32 = std::span<const float>(std::as_const(layout.exact));
    const int fits = layout_widths(frame).numbers > 0 && in_f32.size() == values.size() ? 1 : 0;
    const bool are_in_f32 = comm.min(fits) == 1;
    if (!are_in_f32) layout.exact = {};
    layout.error = comm.max(layout.error);
    return {values, frame.centre.size(), layout, layout_widths(frame), are_in_f32};
}

RowRing::RowRing(const OrderedRows& own, std::vector<comm::RowBlock> ranges,
                 const comm::Communicator& comm, std::int64_t at_once, int hops)
    : comm_(comm),
      ranges_(std::move(ranges)),
      at_once_(at_once),
      parts_(parts_of(ranges_, at_once)),
      hops_(std::min(hops, comm.size() - 1)),
      own_(own),
      rows_(own) {
    for (const auto& range : ranges_) total_ += range.count;
}

RowRing::Meeting RowRing::meeting(int step, std::int64_t whole) const {
    const int rank = comm_.rank(), other = (rank + hop(step)) % comm_.size();
    const auto own = ranges_[static_cast<std::size_t>(rank)].count;
    if (2 * hop(step) != comm_.size()) return {own, 0};
    const auto& lower = ranges_[static_cast<std::size_t>(std::min(rank, other))];
    const auto half = lower.count / 2 / whole * whole;
    if (rank < other) return {half, 0};
    const auto visitors = rows_at(step);
    return {own, std::clamp(lower.first + half - visitors.first, std::int64_t{0}, visitors.count)};
}

// The next to set out.
OrderedRows RowRing::own_part() {
    const auto& all = ranges_[static_cast<std::size_t>(comm_.rank())];
    const auto setting_out = part_of(all, part(step_ + 1), at_once_);
    own_part_order_ = order_of_part(own_.layout.order, all, setting_out);
    const auto first = static_cast<std::size_t>(setting_out.first - all.first);
    const auto count = static_cast<std::size_t>(setting_out.count);
    auto part = own_;
    part.values = own_.values.subspan(first * own_.columns, count * own_.columns);
    part.layout = own_.layout.part(first, count, own_part_order_, own_.widths);
    return part;
}

void RowRing::start_transfer() {
    const int below = (comm_.rank() + comm_.size() - 1) % comm_.size();
    const int above = (comm_.rank() + 1) % comm_.size();
    const auto outgoing = is_own_turn() ? own_part() : rows_;
    auto& incoming = buffers_[step_ % 2];
    const auto exchange = [&]<class T>(kernels::kokkos::Unfilled<T>& room, std::size_t size,
                                       std::span<const T> sent, std::span<const T>& seen) {
        if (std::span<const T>(std::as_const(room)).size() < size)
            room = kernels::kokkos::Unfilled<T>(size);
        const auto to = std::span<T>(room).first(size);
        seen = to;
        const auto start = [&](std::vector<comm::Request> started) {
            std::move(started.begin(), started.end(), std::back_inserter(requests_));
        };
        start(comm_.start_receive(to, above, tag));
        start(comm_.start_send(sent, below, tag));
    };
    const auto& widths = own_.widths;
    const auto count = static_cast<std::size_t>(rows_at(step_ + 1).count);
    auto& rows = incoming.rows;
    rows = own_;
    rows.values = {};
    rows.layout = {};
    auto& layout = rows.layout;
    layout.error = own_.layout.error;
    if (is_ordered_) exchange(incoming.order, count, outgoing.layout.order, layout.order);
    if (rows.are_in_f32)
        exchange(incoming.exact, count * rows.columns, outgoing.layout.exact, layout.exact);
    else
        exchange(incoming.values, count * rows.columns, outgoing.values, rows.values);
    if (widths.norm2 > 0) exchange(incoming.norm2, count, outgoing.layout.norm2, layout.norm2);
    if (widths.leading > 0)
        exchange(incoming.leading, count * widths.leading, outgoing.layout.leading, layout.leading);
    if (widths.numbers > 0) {
        const std::size_t filled_up = (count + widths.group - 1) / widths.group * widths.group;
        exchange(incoming.numbers, filled_up * widths.numbers, outgoing.layout.numbers,
                 layout.numbers);
        exchange(incoming.step, count, outgoing.layout.step, layout.step);
    }
}

}  // namespace nanoatlas::cluster
