// Convolutions and linear layers, with what was fused to them.
#include "nn/convolution_tensors.hpp"

namespace nanoatlas::nn {
namespace {

class ConvolutionStage final : public Stage {
  public:
    ConvolutionStage(const Group& group, Wiring& wiring)
        : group_(group),
          shape_(convolution_shape(group, wiring)),
          tensors_(group, wiring),
          x_(wiring.value(group.inputs[0])),
          addend_(group.addend >= 0 ? wiring.value(group.addend) : -1),
          y_(wiring.value(group.output)) {
        if (shape_.input.samples > 0) primitive_ = wiring.backend().convolution(shape_);
    }

    void pack(const float* parameters, const float* buffers) override {
        if (!primitive_) return;
        const auto [weights, bias, folding] = tensors_.in(parameters, buffers);
        if (folding)
            primitive_->set_folded_weights(weights, bias, *folding);
        else
            primitive_->set_weights(weights, bias);
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
        const auto bias = tensors_.bias();
        primitive_->backward_weights(run.at(x_), dy, run.gradients + tensors_.weight(),
                                     bias >= 0 ? run.gradients + bias : nullptr);
        if (dx_ >= 0) primitive_->backward_data(dy, run.at(dx_));
    }

  private:
    Group group_;
    kernels::ConvolutionShape shape_;
    ConvolutionTensors tensors_;
    std::unique_ptr<kernels::Convolution> primitive_;  // none without samples
    int x_, addend_, y_, dx_ = -1;
    Incoming dy_;
};

}  // namespace

std::unique_ptr<Stage> make_convolution_stage(const Group& group, Wiring& wiring) {
    return std::make_unique<ConvolutionStage>(group, wiring);
}

}  // namespace nanoatlas::nn
