// Rows in contiguous blocks over ranks.
#pragma once

#include <algorithm>
#include <cstdint>

#include "comm/communicator.hpp"

namespace nanoatlas::comm {

/// Rows [first, first + count) of total: what one rank holds of a table.
struct RowBlock {
    std::int64_t first = 0;
    std::int64_t count = 0;
    std::int64_t total = 0;
    std::int64_t end() const { return first + count; }
};

/// Blocks of equal size, the first (rows mod ranks) of them one longer; empty blocks where there
/// are more ranks than rows.
class BlockDistribution {
  public:
    BlockDistribution(std::int64_t rows, int ranks) : rows_(rows), ranks_(ranks) {}

    std::int64_t rows() const { return rows_; }
    int ranks() const { return ranks_; }
    RowBlock block(int rank) const {
        const std::int64_t base = rows_ / ranks_, longer = rows_ % ranks_;
        return {.first = rank * base + std::min<std::int64_t>(rank, longer),
                .count = base + (rank < longer ? 1 : 0),
                .total = rows_};
    }
    int owner(std::int64_t row) const {
        const std::int64_t base = rows_ / ranks_, longer = rows_ % ranks_;
        const std::int64_t in_longer = longer * (base + 1);
        return static_cast<int>(row < in_longer ? row / (base + 1)
                                                : longer + (row - in_longer) / base);
    }

  private:
    std::int64_t rows_;
    int ranks_;
};

inline RowBlock row_block(std::int64_t rows, const Communicator& comm) {
    return BlockDistribution(rows, comm.size()).block(comm.rank());
}

}  // namespace nanoatlas::comm
