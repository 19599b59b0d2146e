#include "kernels/cudnn/route.hpp"

namespace nanoatlas::kernels::cudnn {

ConvolutionShape flattened(const ConvolutionShape& shape) {
    const auto& window = shape.window;
    const bool covers_input = shape.groups == 1 && window.height == shape.input.height &&
                              window.width == shape.input.width && window.top == 0 &&
                              window.left == 0 && window.bottom == 0 && window.right == 0 &&
                              shape.output.height == 1 && shape.output.width == 1;
    if (!covers_input) return shape;
    auto flat = shape;
    flat.input = {shape.input.samples, 1, 1, shape.input.elements() / shape.input.samples};
    flat.window = {};
    return flat;
}

bool has_epilogue(const ConvolutionShape& shape) {
    return shape.bias || shape.addend || shape.activation != Activation::none;
}

Route choose_route(const ConvolutionShape& shape, Precision precision, Pass pass,
                   const FindPlan& find) {
    const bool epilogue = pass == Pass::forward && has_epilogue(shape);
    PlanRequest request{.shape = shape, .precision = precision, .pass = pass, .epilogue = epilogue};
    if (epilogue) {
        if (auto plan = find(request)) return {std::move(plan), true};
        request.epilogue = false;
    }
    return {find(request), false};
}

}  // namespace nanoatlas::kernels::cudnn
