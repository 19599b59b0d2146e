// A convolution or linear layer as stages compute it: its shape, its weights, and a batch norm by
// its running statistics and a layer scale folded into them.
#pragma once

#include <functional>
#include <optional>
#include <span>

#include "nn/stage.hpp"

namespace nanoatlas::nn {

/// Of the group's first node, with what was fused to it.
kernels::ConvolutionShape convolution_shape(const Group& group, const Wiring& wiring);

/// A batch norm by its running statistics, as a factor and a shift of a convolution's outputs.
class FoldedNorm {
  public:
    FoldedNorm(const Node& norm, const ParameterLayout& layout);

    /// In place; weights [bias.size(), ...].
    void fold(const float* parameters, const float* buffers, std::span<float> weights,
              std::span<float> bias) const;

  private:
    double eps_;
    std::int64_t gamma_, beta_, mean_, variance_;
};

class ConvolutionTensors {
  public:
    ConvolutionTensors(const Group& group, const Wiring& wiring);

    /// Offsets among the parameters; -1 without a bias.
    std::int64_t weight() const { return weight_; }
    std::int64_t bias() const { return bias_; }

    /// Hands over the weights and the bias (null without one), norm and scale folded in.
    using Use = std::function<void(const float* weights, const float* bias)>;
    void with_folded(const float* parameters, const float* buffers, const Use& use) const;

  private:
    std::int64_t outputs_, per_output_;
    std::int64_t weight_ = -1, bias_ = -1, scale_ = -1;
    std::optional<FoldedNorm> norm_;
};

}  // namespace nanoatlas::nn
