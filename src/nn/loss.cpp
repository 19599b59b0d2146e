#include "nn/loss.hpp"

#include <array>
#include <cmath>

#include "kernels/reference/loss.hpp"

namespace nanoatlas::nn {

kernels::LossTargets loss_targets(std::span<const std::int32_t> labels, const LossOptions& options,
                                  const kernels::LossShape& shape, const comm::Communicator& comm) {
    kernels::LossTargets targets{.labels = labels,
                                 .other_labels = options.other_labels,
                                 .shares = options.shares,
                                 .class_weights = options.class_weights,
                                 .label_smoothing = options.label_smoothing};
    targets.weight = comm.sum(kernels::reference::label_weight(shape, targets));
    return targets;
}

StepResult loss_result(kernels::Loss& loss, const kernels::LossTargets& targets,
                       const kernels::Backend& backend, const comm::Communicator& comm) {
    const auto found = loss.result();
    std::array<double, 3> sums{found.loss, found.labelled, found.correct};
    if (!backend.sums_over_ranks()) comm.sum(std::span<double>(sums));
    StepResult result{.loss = sums[0],
                      .labelled = static_cast<std::int64_t>(sums[1]),
                      .correct = static_cast<std::int64_t>(sums[2]),
                      .weight = targets.weight};
    if (!std::isfinite(result.loss)) result.not_finite = loss.not_finite();
    return result;
}

}  // namespace nanoatlas::nn
