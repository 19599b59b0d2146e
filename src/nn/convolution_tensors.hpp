// A convolution or linear layer as stages compute it: its shape, its weights, and a batch norm by
// its running statistics and a layer scale folded into them.
#pragma once

#include <optional>

#include "nn/stage.hpp"

namespace nanoatlas::nn {

/// As the kernels take it.
kernels::Window window_of(const Convolution& options);

/// Of the group's first node, with what was fused to it.
kernels::ConvolutionShape convolution_shape(const Group& group, const Wiring& wiring);

/// Where the tensors of a folded batch norm lie.
class FoldedNorm {
  public:
    FoldedNorm(const Node& norm, const ParameterLayout& layout);

    kernels::NormTensors tensors(const float* parameters, const float* buffers) const {
        return {parameters + gamma_, parameters + beta_, buffers + mean_, buffers + variance_,
                eps_};
    }

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

    /// In the back end's memory; bias null without one, folding empty if nothing is folded in.
    struct Placed {
        const float* weights;
        const float* bias;
        std::optional<kernels::Folding> folding;
    };
    Placed in(const float* parameters, const float* buffers) const;

  private:
    std::int64_t weight_ = -1, bias_ = -1, scale_ = -1;
    std::optional<FoldedNorm> norm_;
};

}  // namespace nanoatlas::nn
