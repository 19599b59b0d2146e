// What happens to a step's gradient between back-propagation and the optimiser.
#pragma once

#include <span>
#include <vector>

namespace nanoatlas::nn {

/// The gradient of a mean over several passes, from the gradients of their means.
class GradientMean {
  public:
    /// weight: of the pass in the mean, its samples by their classes' weights
    void add(std::span<const float> gradient, double weight);
    /// The mean so far; then it begins anew.
    void take(std::span<float> gradient);

  private:
    std::vector<float> sum_;
    double weight_ = 0;
};

/// Its 2-norm, the same bits on any number of threads.
double norm_of(std::span<const float> gradient);

/// Shortens a gradient longer than `longest` to that length (Pascanu, Mikolov, Bengio, ICML 2013),
/// as torch's clip_grad_norm_. Returns the norm before.
double clip_norm(std::span<float> gradient, double longest);

}  // namespace nanoatlas::nn
