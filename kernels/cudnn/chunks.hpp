// How slices of a flat buffer are shared out over a GPU. Knows nothing of CUDA.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/updates.hpp"

namespace nanoatlas::kernels::cudnn {

/// Values [first, first + count) of a slice, which one block of threads takes.
struct Chunk {
    std::int64_t first;
    std::int32_t count, slice;
};
constexpr std::int64_t largest_chunk = 4096;

/// Every value of every slice once, slices in their order.
std::vector<Chunk> plan_chunks(std::span<const UpdateSlice> slices);

}  // namespace nanoatlas::kernels::cudnn
