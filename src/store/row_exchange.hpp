// Rows that lie anywhere on the ranks, brought to the ranks whose block they are in.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "comm/distribution.hpp"

namespace nanoatlas::store {

/// For rows [first, first + count), dealt in blocks over the ranks.
class RowExchange {
  public:
    /// row: numbers of the rows that this rank has, ascending; over all ranks each once.
    /// Collective.
    RowExchange(std::span<const std::int64_t> row, std::int64_t first, std::int64_t count,
                const comm::Communicator& comm);

    /// This rank's block, counted from `first`.
    const comm::RowBlock& block() const { return block_; }

    /// values: those of all rows that this rank has [rows, width]; returns its block's. Collective.
    template <class T>
    std::vector<T> values(std::span<const T> mine, std::int64_t width) const {
        const auto count = static_cast<std::size_t>(width);
        std::vector<std::vector<T>> parts;
        for (const auto& [begin, end] : sent_) {
            const auto part = mine.subspan(begin * count, (end - begin) * count);
            parts.emplace_back(part.begin(), part.end());
        }
        const auto received = comm_.exchange(parts);
        std::vector<T> block(static_cast<std::size_t>(block_.count) * count);
        for (std::size_t rank = 0; rank < received.size(); ++rank)
            for (std::size_t i = 0; i < position_[rank].size(); ++i)
                std::copy_n(
                    received[rank].begin() + static_cast<std::ptrdiff_t>(i * count), count,
                    block.begin() + static_cast<std::ptrdiff_t>(position_[rank][i] * count));
        return block;
    }
    std::vector<std::string> strings(std::span<const std::string> mine) const;

  private:
    struct Range {
        std::size_t begin = 0, end = 0;
    };
    const comm::Communicator& comm_;
    comm::RowBlock block_;
    std::vector<Range> sent_;  ///< to each rank: which of this rank's rows
    std::vector<std::vector<std::size_t>>
        position_;  ///< from each rank: where they go in the block
};

}  // namespace nanoatlas::store
