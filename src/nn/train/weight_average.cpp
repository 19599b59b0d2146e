#include "nn/train/weight_average.hpp"

#include <algorithm>

namespace nanoatlas::nn {

WeightAverage::WeightAverage(Network& network, double decay)
    : decay_(decay),
      parameters_(network.in_backend().backend, std::ssize(network.parameters())),
      buffers_(network.in_backend().backend, std::ssize(network.buffers())) {
    std::ranges::copy(network.parameters(), parameters_.changed_by_host().begin());
    std::ranges::copy(network.buffers(), buffers_.changed_by_host().begin());
}

void WeightAverage::update(Network& network, std::int64_t t) {
    const auto steps = static_cast<double>(t);
    const auto part = static_cast<float>(1 - std::min(decay_, (1 + steps) / (10 + steps)));
    const auto now = network.in_backend();
    now.backend.approach(now.parameters.data(), part, parameters_.size(),
                         parameters_.changed_by_backend());
    now.backend.approach(now.buffers.data(), part, buffers_.size(), buffers_.changed_by_backend());
}

void WeightAverage::exchange(Network& network) {
    std::ranges::swap_ranges(parameters_.changed_by_host(), network.parameters());
    std::ranges::swap_ranges(buffers_.changed_by_host(), network.buffers());
}

}  // namespace nanoatlas::nn
