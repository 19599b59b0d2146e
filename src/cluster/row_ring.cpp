#include "cluster/row_ring.hpp"

#include <algorithm>

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

OrderedRows ordered_rows(std::span<const double> values, const kernels::kokkos::Layout& layout,
                         const kernels::kokkos::Frame& frame) {
    return {values, frame.centre.size(), layout.order, layout.leading, leading_columns(frame)};
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

// The next to set out.
OrderedRows RowRing::own_part() {
    const auto& all = ranges_[static_cast<std::size_t>(comm_.rank())];
    const auto setting_out = part_of(all, part(step_ + 1), at_once_);
    own_part_order_ = order_of_part(own_.order, all, setting_out);
    const auto part = [&](auto rows, std::size_t columns) {
        return rows.subspan(static_cast<std::size_t>(setting_out.first - all.first) * columns,
                            static_cast<std::size_t>(setting_out.count) * columns);
    };
    return {part(own_.values, own_.columns), own_.columns, own_part_order_,
            part(own_.leading, own_.leading_columns), own_.leading_columns};
}

}  // namespace nanoatlas::cluster
