#include "nn/convolution_tensors.hpp"

#include <cmath>

namespace nanoatlas::nn {
namespace {

bool has_bias(const Node& node) {
    return node.op == Op::convolution ? std::get<Convolution>(node.attributes).bias
                                      : std::get<Linear>(node.attributes).bias;
}

/// A layer scale, as FoldedNorm folds a norm.
void fold_scale(const float* scale, std::span<float> weights, std::span<float> bias) {
    const std::size_t per_output = weights.size() / bias.size();
    for (std::size_t i = 0; i < bias.size(); ++i) {
        for (auto& weight : weights.subspan(i * per_output, per_output)) weight *= scale[i];
        bias[i] *= scale[i];
    }
}

}  // namespace

kernels::ConvolutionShape convolution_shape(const Group& group, const Wiring& wiring) {
    const auto& node = wiring.node(group.first);
    kernels::ConvolutionShape shape{
        .input = wiring.image(group.inputs[0]), .output = wiring.image(group.first), .window = {}};
    if (const auto* options = std::get_if<Convolution>(&node.attributes)) {
        const auto& padding = options->padding;
        shape.window = {options->kernel.height, options->kernel.width, options->stride.height,
                        options->stride.width,  padding.top,           padding.left,
                        padding.bottom,         padding.right,         options->dilation.height,
                        options->dilation.width};
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

void FoldedNorm::fold(const float* parameters, const float* buffers, std::span<float> weights,
                      std::span<float> bias) const {
    const std::size_t per_output = weights.size() / bias.size();
    for (std::size_t i = 0; i < bias.size(); ++i) {
        const double scale = parameters[gamma_ + static_cast<std::int64_t>(i)] /
                             std::sqrt(buffers[variance_ + static_cast<std::int64_t>(i)] + eps_);
        const double mean = buffers[mean_ + static_cast<std::int64_t>(i)];
        for (auto& weight : weights.subspan(i * per_output, per_output))
            weight = static_cast<float>(weight * scale);
        bias[i] = static_cast<float>((bias[i] - mean) * scale +
                                     parameters[beta_ + static_cast<std::int64_t>(i)]);
    }
}

ConvolutionTensors::ConvolutionTensors(const Group& group, const Wiring& wiring) {
    const auto& node = wiring.node(group.first);
    const auto shape = convolution_shape(group, wiring);
    outputs_ = shape.output.channels;
    per_output_ = shape.input.channels / shape.groups * shape.window.height * shape.window.width;
    weight_ = wiring.layout().offset(node.name + ".weight");
    if (has_bias(node)) bias_ = wiring.layout().offset(node.name + ".bias");
    if (group.norm >= 0) norm_.emplace(wiring.node(group.norm), wiring.layout());
    if (group.scale >= 0) scale_ = wiring.layout().offset(wiring.node(group.scale).name);
}

void ConvolutionTensors::with_folded(const float* parameters, const float* buffers,
                                     const Use& use) const {
    const float* weights = parameters + weight_;
    const float* bias = bias_ >= 0 ? parameters + bias_ : nullptr;
    if (!norm_ && scale_ < 0) return use(weights, bias);
    std::vector<float> folded(weights, weights + outputs_ * per_output_);
    std::vector<float> folded_bias(static_cast<std::size_t>(outputs_), 0);
    if (bias != nullptr) folded_bias.assign(bias, bias + outputs_);
    if (norm_) norm_->fold(parameters, buffers, folded, folded_bias);
    if (scale_ >= 0) fold_scale(parameters + scale_, folded, folded_bias);
    use(folded.data(), folded_bias.data());
}

}  // namespace nanoatlas::nn
