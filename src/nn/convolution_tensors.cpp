#include "nn/convolution_tensors.hpp"

namespace nanoatlas::nn {
namespace {

bool has_bias(const Node& node) {
    return node.op == Op::convolution ? std::get<Convolution>(node.attributes).bias
                                      : std::get<Linear>(node.attributes).bias;
}

}  // namespace

kernels::Window window_of(const Convolution& options) {
    const auto& padding = options.padding;
    return {options.kernel.height, options.kernel.width, options.stride.height,
            options.stride.width,  padding.top,          padding.left,
            padding.bottom,        padding.right,        options.dilation.height,
            options.dilation.width};
}

kernels::ConvolutionShape convolution_shape(const Group& group, const Wiring& wiring) {
    const auto& node = wiring.node(group.first);
    kernels::ConvolutionShape shape{
        .input = wiring.image(group.inputs[0]), .output = wiring.image(group.first), .window = {}};
    if (const auto* options = std::get_if<Convolution>(&node.attributes)) {
        shape.window = window_of(*options);
        shape.groups = options->groups;
    } else {
        shape.window.height = shape.input.height;
        shape.window.width = shape.input.width;
    }
    shape.bias = has_bias(node) || group.norm >= 0;
    shape.activation = group.activation;
    shape.addend = group.addend >= 0;
    shape.training = wiring.is_trained(group.first);
    shape.data_gradient = shape.training && wiring.wants_gradient(group.inputs[0]);
    return shape;
}

FoldedNorm::FoldedNorm(const Node& norm, const ParameterLayout& layout)
    : eps_(std::get<BatchNorm>(norm.attributes).eps),
      gamma_(layout.offset(norm.name + ".weight")),
      beta_(layout.offset(norm.name + ".bias")),
      mean_(layout.offset(norm.name + ".running_mean")),
      variance_(layout.offset(norm.name + ".running_var")) {}

ConvolutionTensors::ConvolutionTensors(const Group& group, const Wiring& wiring) {
    const auto& node = wiring.node(group.first);
    weight_ = wiring.layout().offset(node.name + ".weight");
    if (has_bias(node)) bias_ = wiring.layout().offset(node.name + ".bias");
    if (group.norm >= 0) norm_.emplace(wiring.node(group.norm), wiring.layout());
    if (group.scale >= 0) scale_ = wiring.layout().offset(wiring.node(group.scale).name);
}

ConvolutionTensors::Placed ConvolutionTensors::in(const float* parameters,
                                                  const float* buffers) const {
    Placed placed{.weights = parameters + weight_,
                  .bias = bias_ >= 0 ? parameters + bias_ : nullptr,
                  .folding = {}};
    if (!norm_ && scale_ < 0) return placed;
    placed.folding.emplace();
    if (norm_) placed.folding->norm = norm_->tensors(parameters, buffers);
    if (scale_ >= 0) placed.folding->scale = parameters + scale_;
    return placed;
}

}  // namespace nanoatlas::nn
