#include "nn/train/weight_average.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace nanoatlas::nn {
namespace {

void approach(std::vector<float>& average, std::span<const float> now, float part) {
    ASSERT(average.size() == now.size());
#pragma omp parallel for simd schedule(static)
    for (std::size_t i = 0; i < average.size(); ++i) average[i] += part * (now[i] - average[i]);
}

}  // namespace

WeightAverage::WeightAverage(Network& network, double decay) : decay_(decay) {
    const auto parameters = network.parameters(), buffers = network.buffers();
    parameters_.assign(parameters.begin(), parameters.end());
    buffers_.assign(buffers.begin(), buffers.end());
}

void WeightAverage::update(Network& network, std::int64_t t) {
    const auto steps = static_cast<double>(t);
    const auto part = static_cast<float>(1 - std::min(decay_, (1 + steps) / (10 + steps)));
    approach(parameters_, network.parameters(), part);
    approach(buffers_, network.buffers(), part);
}

void WeightAverage::exchange(Network& network) {
    std::ranges::swap_ranges(parameters_, network.parameters());
    std::ranges::swap_ranges(buffers_, network.buffers());
}

}  // namespace nanoatlas::nn
