// The loss of a step over all ranks: softmax cross-entropy and its gradient, as torch's
// cross_entropy with class weights and label smoothing (mean over the labelled samples of all
// ranks, weighted by their classes). A label that stands for several classes (nn/taxonomy.hpp) has
// the sum of their probabilities, and the mean of their weights.
#pragma once

#include <cstdint>
#include <span>

#include "comm/communicator.hpp"
#include "kernels/loss.hpp"
#include "nn/network.hpp"

namespace nanoatlas::nn {

/// What the loss is by in this step. labels, options and what they point to must outlive it.
/// Collective.
kernels::LossTargets loss_targets(std::span<const std::int32_t> labels, const LossOptions& options,
                                  const kernels::LossShape& shape, const comm::Communicator& comm);

/// Of the last run. Collective.
StepResult loss_result(kernels::Loss& loss, const kernels::LossTargets& targets,
                       const kernels::Backend& backend, const comm::Communicator& comm);

}  // namespace nanoatlas::nn
