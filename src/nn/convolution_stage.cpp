// Convolutions and linear layers, with what was fused to them.
#include <optional>

#include "nn/stage.hpp"

namespace nanoatlas::nn {
namespace {

bool has_bias(const Node& node) {
    return node.op == Op::convolution ? std::get<Convolution>(node.attributes).bias
                                      : std::get<Linear>(node.attributes).bias;
}

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

/// Where the tensors of a folded batch norm lie.
struct FoldedNorm {
    double eps;
    std::int64_t gamma, beta, mean, variance;

    FoldedNorm(const Node& norm, const ParameterLayout& layout)
        : eps(std::get<BatchNorm>(norm.attributes).eps),
          gamma(layout.offset(norm.name + ".weight")),
          beta(layout.offset(norm.name + ".bias")),
          mean(layout.offset(norm.name + ".running_mean")),
          variance(layout.offset(norm.name + ".running_var")) {}

    kernels::NormTensors tensors(const float* parameters, const float* buffers) const {
        return {parameters + gamma, parameters + beta, buffers + mean, buffers + variance, eps};
    }
};

class ConvolutionStage final : public Stage {
  public:
    ConvolutionStage(const Group& group, Wiring& wiring)
        : group_(group),
          shape_(convolution_shape(group, wiring)),
          x_(wiring.value(group.inputs[0])),
          addend_(group.addend >= 0 ? wiring.value(group.addend) : -1),
          y_(wiring.value(group.output)) {
        if (shape_.input.samples > 0) primitive_ = wiring.backend().convolution(shape_);
        const auto& node = wiring.node(group.first);
        weight_ = wiring.layout().offset(node.name + ".weight");
        if (has_bias(node)) bias_ = wiring.layout().offset(node.name + ".bias");
        if (group.norm >= 0) norm_.emplace(wiring.node(group.norm), wiring.layout());
        if (group.scale >= 0) scale_ = wiring.layout().offset(wiring.node(group.scale).name);
    }

    void pack(const float* parameters, const float* buffers) override {
        if (!primitive_) return;
        const float* weights = parameters + weight_;
        const float* bias = bias_ >= 0 ? parameters + bias_ : nullptr;
        if (!norm_ && scale_ < 0) return primitive_->set_weights(weights, bias);
        kernels::Folding folding;
        if (norm_) folding.norm = norm_->tensors(parameters, buffers);
        if (scale_ >= 0) folding.scale = parameters + scale_;
        primitive_->set_folded_weights(weights, bias, folding);
    }

    void forward(const Run& run) override {
        primitive_->forward(run.at(x_), addend_ >= 0 ? run.at(addend_) : nullptr, run.at(y_));
    }

    void wire_backward(Wiring& wiring) override {
        if (!shape_.training) return;
        dy_ = wiring.incoming(group_.output, group_.activation);
        if (dy_.parts.empty()) return;
        wiring.value(group_.inputs[0]);  // the weights' gradient reads it
        if (shape_.data_gradient) dx_ = wiring.add_gradient(group_.inputs[0]);
    }

    void backward(const Run& run) override {
        if (dy_.parts.empty()) return;
        const void* dy = dy_.collect(run);
        primitive_->backward_weights(run.at(x_), dy, run.gradients + weight_,
                                     bias_ >= 0 ? run.gradients + bias_ : nullptr);
        if (dx_ >= 0) primitive_->backward_data(dy, run.at(dx_));
    }

  private:
    Group group_;
    kernels::ConvolutionShape shape_;
    std::unique_ptr<kernels::Convolution> primitive_;  // none without samples
    std::int64_t weight_ = -1, bias_ = -1, scale_ = -1;
    std::optional<FoldedNorm> norm_;
    int x_, addend_, y_, dx_ = -1;
    Incoming dy_;
};

}  // namespace

std::unique_ptr<Stage> make_convolution_stage(const Group& group, Wiring& wiring) {
    return std::make_unique<ConvolutionStage>(group, wiring);
}

}  // namespace nanoatlas::nn
