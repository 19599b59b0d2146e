// How sums over the rows of an image are shared out over a GPU. Knows nothing of CUDA.
#pragma once

#include <cstdint>

namespace nanoatlas::kernels::cudnn {

/// Rows [i * rows, (i + 1) * rows) are summed by the blocks of split i, whose sums are added up in
/// the order of the splits: the same bits each time.
struct Reduction {
    std::int64_t splits, rows;
};

/// Channels that one block takes; vector: those of one thread.
constexpr std::int64_t block_lanes = 32, block_rows = 8;
inline std::int64_t channel_blocks(std::int64_t channels, std::int64_t vector) {
    return (channels + block_lanes * vector - 1) / (block_lanes * vector);
}

/// Enough splits to fill a large GPU some times over, each of rows enough to be worth it.
Reduction plan_reduction(std::int64_t rows, std::int64_t channels, std::int64_t vector);

}  // namespace nanoatlas::kernels::cudnn
