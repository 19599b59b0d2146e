// Which way a convolution is computed on a GPU: by one plan with all that is fused to it, by a plan
// of the convolution alone and a kernel for the rest, or by plain kernels. Knows nothing of CUDA.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "kernels/cnn.hpp"

namespace nanoatlas::kernels::cudnn {

enum class Pass { forward, backward_data, backward_weights };

/// What a plan is wanted for.
struct PlanRequest {
    ConvolutionShape shape;
    Precision precision;
    Pass pass;
    bool epilogue;  ///< bias, addend and activation are part of it
    bool operator==(const PlanRequest&) const = default;
};

/// A linear layer over an image is one over its pixels' channels: the same memory, a 1x1 kernel.
ConvolutionShape flattened(const ConvolutionShape& shape);

/// Something is left to do to the bare convolution's output.
bool has_epilogue(const ConvolutionShape& shape);

class Plan;
using PlanPointer = std::shared_ptr<const Plan>;
/// Null where there is none.
using FindPlan = std::function<PlanPointer(const PlanRequest&)>;

struct Route {
    PlanPointer plan;    ///< null: the plain kernel
    bool fused = false;  ///< the plan does the epilogue too
};

Route choose_route(const ConvolutionShape& shape, Precision precision, Pass pass,
                   const FindPlan& find);

}  // namespace nanoatlas::kernels::cudnn
