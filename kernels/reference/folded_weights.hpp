// A convolution's weights with what stands behind it folded in, in the host's memory.
#pragma once

#include <vector>

#include "kernels/cnn.hpp"

namespace nanoatlas::kernels::reference {

struct FoldedWeights {
    std::vector<float> weights, bias;

    /// bias may be null: 0.
    FoldedWeights(const ConvolutionShape& shape, const float* given, const float* given_bias,
                  const Folding& folding);
};

}  // namespace nanoatlas::kernels::reference
