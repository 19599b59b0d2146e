// Softmax cross-entropy and its gradient in a back end's memory, with class weights, label
// smoothing, samples of two classes, and labels that stand for several classes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/cnn.hpp"

namespace nanoatlas::kernels {

/// Classes that a label stands for: itself, or if it is not below their number those of
/// inner[label - number], whose probabilities add up.
using LabelClasses = std::vector<std::vector<std::int32_t>>;

struct LossShape {
    ImageShape logits;  ///< height * width * channels classes, in the host's order of elements
    LabelClasses inner{};
    std::int64_t classes() const { return logits.height * logits.width * logits.channels; }
};

/// Of one step; the host's memory.
struct LossTargets {
    std::span<const std::int32_t> labels{};  ///< [samples]; -1: not counted
    /// A sample counts by its share as its label's, by the rest as its other label's; empty: none.
    std::span<const std::int32_t> other_labels{};
    std::span<const float> shares{};
    std::span<const float> class_weights{};  ///< [classes]; empty: all 1
    double label_smoothing = 0;
    double weight = 0;  ///< of the samples of all ranks, which the mean is over: label_weight()
    float factor = 1;   ///< of the gradient
};

struct LossSums {
    double loss = 0;                   ///< parts in the mean
    double labelled = 0, correct = 0;  ///< samples
};

class Loss {
  public:
    virtual ~Loss() = default;
    /// What run() works by from now on; must live until result().
    virtual void set_targets(const LossTargets& targets) = 0;
    virtual void run(const void* logits, void* gradient) = 0;
    /// Of the last run(); waits for it. Over all ranks if the back end sums over them, else this
    /// rank's.
    virtual LossSums result() = 0;
    /// This rank's samples whose loss is not finite.
    virtual std::vector<std::int64_t> not_finite() const = 0;
    /// Where result().loss lies in the back end's memory, once run() is done.
    virtual const double* loss() const = 0;
};

}  // namespace nanoatlas::kernels
