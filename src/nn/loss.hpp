// Softmax cross-entropy and its gradient, as torch's cross_entropy with class weights and label
// smoothing (mean over the labelled samples of all ranks, weighted by their classes). A label that
// stands for several classes (nn/taxonomy.hpp) has the sum of their probabilities, and the mean of
// their weights.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "nn/network.hpp"

namespace nanoatlas::nn {

/// Gradient by the logits [count, classes] of the mean over all ranks, and that mean. Collective.
/// labels  [count], -1: not counted
struct Loss {
    StepResult result;
    std::vector<float> gradient;
};
Loss softmax_cross_entropy(std::span<const float> logits, std::span<const std::int32_t> labels,
                           std::int64_t classes, const LossOptions& options,
                           const comm::Communicator& comm);

}  // namespace nanoatlas::nn
