#include "nn/ranges.hpp"

#include <algorithm>
#include <functional>

#include "base/check.hpp"
#include "nn/network.hpp"

namespace nanoatlas::nn {

void Range::add(std::span<const float> values) {
    const auto channels = low.size();
    const auto rows = values.size() / channels;
    float sum = 0;
#pragma omp parallel reduction(+ : sum)
    {
        auto lows = low, highs = high;
#pragma omp for schedule(static)
        for (std::size_t row = 0; row < rows; ++row) {
            const float* const of_row = values.data() + row * channels;
#pragma omp simd reduction(+ : sum)
            for (std::size_t c = 0; c < channels; ++c) {
                lows[c] = std::min(lows[c], of_row[c]);
                highs[c] = std::max(highs[c], of_row[c]);
                sum += of_row[c] * 0.0F;  // NaN if any is not finite
            }
        }
#pragma omp critical
        for (std::size_t c = 0; c < channels; ++c) {
            low[c] = std::min(low[c], lows[c]);
            high[c] = std::max(high[c], highs[c]);
        }
    }
    VALIDATE(sum == 0,
             "a layer puts out values that are not finite (the weights are damaged?); "
             "there is no range to quantise them to");
}

float Range::lowest() const {
    return *std::ranges::min_element(low);
}
float Range::highest() const {
    return *std::ranges::max_element(high);
}

void RangeFinder::add(Network& network, std::span<const float> images) {
    network.observe(images, [&](const std::string& node, const kernels::ImageShape& shape,
                                std::span<const float> values) {
        const auto channels = static_cast<std::size_t>(shape.channels);
        ranges_.try_emplace(node, channels).first->second.add(values);
    });
}

Ranges RangeFinder::ranges(const Network& network, const comm::Communicator& comm) {
    for (const auto& node : network.graph().nodes()) {
        const auto found = ranges_.find(node.name);
        const auto channels = comm.max(found == ranges_.end() ? 0 : found->second.low.size());
        if (channels == 0) continue;
        auto& range = ranges_.try_emplace(node.name, channels).first->second;
        comm.max(std::span(range.high));
        std::ranges::transform(range.low, range.low.begin(), std::negate());
        comm.max(std::span(range.low));
        std::ranges::transform(range.low, range.low.begin(), std::negate());
    }
    return ranges_;
}

}  // namespace nanoatlas::nn
