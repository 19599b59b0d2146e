// A batch norm out of four passes over its images, for back ends that work in the host's memory.
#pragma once

#include <memory>

#include "kernels/cnn.hpp"

namespace nanoatlas::kernels::reference {

/// A batch norm as it is applied: y = activation((x - mean) * scale + shift + addend), by channel.
struct NormCoefficients {
    const float* mean;
    const float* scale;
    const float* shift;
};

/// Its data gradient: dx = by_gradient * g + by_input * (x - mean) + constant, by channel.
struct NormGradientCoefficients {
    const float* mean;
    const float* by_gradient;
    const float* by_input;
    const float* constant;
};

/// The passes, which each back end does in its own way.
class NormPasses {
  public:
    virtual ~NormPasses() = default;
    /// sums [2, channels] = sum of x and of its square, by channel.
    virtual void norm_sums(const void* x, std::int64_t rows, std::int64_t channels,
                           double* sums) = 0;
    /// addend may be null.
    virtual void norm_forward(const void* x, const void* addend, std::int64_t rows,
                              std::int64_t channels, const NormCoefficients& coefficients,
                              Activation activation, void* y) = 0;
    /// g = sum of gradients where the activation of y passes them on (may be one of them; null if
    /// there is only one and no activation, which then is g);
    /// sums [2, channels] = sum of g and of g * (x - mean), by channel.
    virtual void norm_backward_sums(Addends gradients, const void* y, const void* x,
                                    std::int64_t rows, std::int64_t channels, const float* mean,
                                    Activation activation, void* g, double* sums) = 0;
    virtual void norm_backward_data(const void* g, const void* x, std::int64_t rows,
                                    std::int64_t channels,
                                    const NormGradientCoefficients& coefficients, void* dx) = 0;

    /// The same two of a single gradient dy, where g is not kept: by tells whether the activation
    /// passes an element on, so nothing is written and y is not read.
    virtual void norm_backward_sums(const void* dy, const void* x, std::int64_t rows,
                                    std::int64_t channels, const NormCoefficients& by,
                                    Activation activation, double* sums) = 0;
    virtual void norm_backward_data(const void* dy, const void* x, std::int64_t rows,
                                    std::int64_t channels, const NormCoefficients& by,
                                    Activation activation,
                                    const NormGradientCoefficients& coefficients, void* dx) = 0;
};

/// The passes must outlive it.
std::unique_ptr<BatchNorm> make_batch_norm(const BatchNormShape& shape, NormPasses& passes);

}  // namespace nanoatlas::kernels::reference
