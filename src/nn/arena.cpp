#include "nn/arena.hpp"

#include <algorithm>
#include <numeric>

namespace nanoatlas::nn {

int Arena::add(std::int64_t bytes, int time) {
    constexpr std::int64_t line = 64;
    buffers_.push_back({(bytes + line - 1) / line * line, time, time});
    return static_cast<int>(buffers_.size()) - 1;
}

void Arena::use(int buffer, int time) {
    auto& life = buffers_[static_cast<std::size_t>(buffer)];
    life.first = std::min(life.first, time);
    life.last = std::max(life.last, time);
}

std::int64_t Arena::layout() {
    std::vector<std::size_t> order(buffers_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(
        order, [&](std::size_t a, std::size_t b) { return buffers_[a].bytes > buffers_[b].bytes; });

    offsets_.assign(buffers_.size(), 0);
    std::vector<std::size_t> placed;  // by offset
    std::int64_t total = 0;
    for (const auto i : order) {
        const auto& buffer = buffers_[i];
        std::int64_t offset = 0;
        for (const auto j : placed) {
            const auto& other = buffers_[j];
            if (other.last < buffer.first || buffer.last < other.first) continue;
            if (offset + buffer.bytes <= offsets_[j]) break;
            offset = std::max(offset, offsets_[j] + other.bytes);
        }
        offsets_[i] = offset;
        total = std::max(total, offset + buffer.bytes);
        const auto after = [&](std::size_t a, std::size_t b) { return offsets_[a] < offsets_[b]; };
        placed.insert(std::upper_bound(placed.begin(), placed.end(), i, after), i);
    }
    return total;
}

}  // namespace nanoatlas::nn
