// How sums over the rows of an image are shared out over a GPU. Knows nothing of CUDA.
#pragma once

#include <algorithm>
#include <cstdint>

namespace nanoatlas::kernels::cudnn {

/// Rows [i * rows, (i + 1) * rows) are summed by the blocks of split i, whose sums are added up in
/// the order of the splits: the same bits each time.
struct Reduction {
    std::int64_t splits, rows;
};

/// Threads of a block: so many side by side over a row, `vector` channels each, and one above the
/// other over rows. Narrow images have blocks that take more rows, so that no thread is idle.
struct BlockShape {
    static constexpr std::int64_t threads = 256, most_lanes = 32;
    std::int64_t lanes, depth;
    BlockShape(std::int64_t channels, std::int64_t vector)
        : lanes(std::clamp<std::int64_t>((channels + vector - 1) / vector, 1, most_lanes)),
          depth(threads / lanes) {}
};

inline std::int64_t channel_blocks(std::int64_t channels, std::int64_t vector) {
    const auto block = BlockShape(channels, vector).lanes * vector;
    return (channels + block - 1) / block;
}

/// Rows that a thread adds up in f32, about, before its sum goes on in f64; more of very long
/// images.
constexpr std::int64_t rows_in_f32 = 128;

/// Enough splits to fill a large GPU some times over, each of rows enough to be worth it.
Reduction plan_reduction(std::int64_t rows, std::int64_t channels, std::int64_t vector);

}  // namespace nanoatlas::kernels::cudnn
