// Convolutions of 3x3 windows at stride 1, all three passes by Winograd's algorithm.
#include <optional>
#include <vector>

#include "kernels/onednn/engine.hpp"
#include "kernels/onednn/winograd_gradient.hpp"
#include "kernels/onednn/winograd_product.hpp"
#include "kernels/reference/folded_weights.hpp"

namespace nanoatlas::kernels::onednn {
namespace {

/// Below this many channels transforms take more than the products save.
constexpr std::int64_t least_channels = 16;

WinogradTiles forward_tiles(const ConvolutionShape& shape) {
    return {shape.input, shape.output, shape.window.top, shape.window.left};
}

/// The gradient of the input is a convolution of the output's by the window turned about.
WinogradTiles backward_tiles(const ConvolutionShape& shape) {
    return {shape.output, shape.input, winograd_taps - 1 - shape.window.top,
            winograd_taps - 1 - shape.window.left};
}

class WinogradConvolution final : public Convolution {
  public:
    WinogradConvolution(const ConvolutionShape& shape, const std::shared_ptr<Engine>& engine)
        : shape_(shape), forward_(forward_tiles(shape), engine) {
        if (shape.data_gradient) backward_data_.emplace(backward_tiles(shape), engine);
        if (shape.training) backward_weights_.emplace(forward_tiles(shape), engine);
    }

    void set_weights(const float* weights, const float* bias) override {
        forward_.set_weights(weights, WinogradDirection::forward);
        if (backward_data_) backward_data_->set_weights(weights, WinogradDirection::backward);
        if (bias != nullptr) bias_.assign(bias, bias + shape_.output.channels);
    }
    void set_folded_weights(const float* weights, const float* bias,
                            const Folding& folding) override {
        const reference::FoldedWeights folded(shape_, weights, bias, folding);
        set_weights(folded.weights.data(), folded.bias.data());
    }

    void forward(const void* x, const void* addend, void* y) override {
        forward_.run(static_cast<const float*>(x),
                     {.bias = shape_.bias ? bias_.data() : nullptr,
                      .addend = shape_.addend ? static_cast<const float*>(addend) : nullptr,
                      .activation = shape_.activation},
                     static_cast<float*>(y));
    }
    void backward_data(const void* dy, void* dx) override {
        backward_data_->run(static_cast<const float*>(dy), {}, static_cast<float*>(dx));
    }
    void backward_weights(const void* x, const void* dy, float* dweights, float* dbias) override {
        backward_weights_->run(static_cast<const float*>(x), static_cast<const float*>(dy),
                               dweights, dbias);
    }

  private:
    ConvolutionShape shape_;
    WinogradProduct forward_;
    std::optional<WinogradProduct> backward_data_;
    std::optional<WinogradGradient> backward_weights_;
    std::vector<float> bias_;
};

}  // namespace

bool suits_winograd(const ConvolutionShape& shape, Precision precision) {
    const auto& window = shape.window;
    return precision == Precision::f32 && shape.groups == 1 && window.height == winograd_taps &&
           window.width == winograd_taps && window.stride_y == 1 && window.stride_x == 1 &&
           window.dilation_y == 1 && window.dilation_x == 1 &&
           shape.activation != Activation::gelu && shape.input.channels >= least_channels &&
           shape.output.channels >= least_channels;
}

std::unique_ptr<Convolution> make_winograd(const ConvolutionShape& shape,
                                           const std::shared_ptr<Engine>& engine) {
    return std::make_unique<WinogradConvolution>(shape, engine);
}

}  // namespace nanoatlas::kernels::onednn
