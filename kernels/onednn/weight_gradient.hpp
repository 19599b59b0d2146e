// The gradient of a convolution's weights by our own kernel: oneDNN 3.2 reaches 40 to 60 % of the
// processor's rate for it where there is no AMX, and this one the rate of its register tile.
#pragma once

#include "kernels/onednn/engine.hpp"

namespace nanoatlas::kernels::onednn {

struct WeightGradientPlan;

/// dW[o, i, r, s] = sum over output pixels p of x[p moved by (r, s), i] * dy[p, o], blockwise:
/// the pixels of some output rows are packed into panels that fit the first cache, and each tile
/// of the result is added up over them in registers. Threads share out the pixels (and add up
/// their results in a fixed order) or, where the result is large, the output channels.
class WeightGradient {
  public:
    /// Whether it takes this shape (groups == 1), and is faster than oneDNN on this processor.
    static bool suits(const ConvolutionShape& shape, Precision precision);

    WeightGradient(const ConvolutionShape& shape, std::shared_ptr<Engine> engine);
    ~WeightGradient();

    /// x [input], dy [output] in the engine's precision; dbias may be null.
    void run(const void* x, const void* dy, float* dweights, float* dbias);

  private:
    std::shared_ptr<Engine> engine_;
    std::unique_ptr<const WeightGradientPlan> plan_;
};

}  // namespace nanoatlas::kernels::onednn
