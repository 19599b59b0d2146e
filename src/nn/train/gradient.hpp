// What happens to a step's gradient between back-propagation and the optimiser.
#pragma once

#include "nn/values.hpp"

namespace nanoatlas::nn {

/// The gradient of a mean over several passes, from the gradients of their means, in a back end's
/// memory.
class GradientMean {
  public:
    /// The back end must outlive it.
    GradientMean(kernels::Backend& backend, std::int64_t size);

    /// weight: of the pass in the mean, its samples by their classes' weights
    void add(std::span<const float> gradient, double weight);
    /// The mean so far; then it begins anew.
    void take(std::span<float> gradient);

  private:
    kernels::Backend& backend_;
    Values sum_;
    bool is_empty_ = true;
    double weight_ = 0;
};

}  // namespace nanoatlas::nn
