#include "kernels/cudnn/chunks.hpp"

#include <algorithm>

namespace nanoatlas::kernels::cudnn {

std::vector<Chunk> plan_chunks(std::span<const UpdateSlice> slices) {
    std::vector<Chunk> chunks;
    for (std::size_t i = 0; i < slices.size(); ++i) {
        const auto end = slices[i].first + slices[i].count;
        for (auto first = slices[i].first; first < end; first += largest_chunk)
            chunks.push_back(
                {.first = first,
                 .count = static_cast<std::int32_t>(std::min(largest_chunk, end - first)),
                 .slice = static_cast<std::int32_t>(i)});
    }
    return chunks;
}

}  // namespace nanoatlas::kernels::cudnn
