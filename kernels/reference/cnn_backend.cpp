#include <algorithm>
#include <new>
#include <vector>

#include "kernels/pictures.hpp"
#include "kernels/reference/cnn.hpp"
#include "kernels/reference/folded_weights.hpp"
#include "kernels/reference/loss.hpp"
#include "kernels/reference/updates.hpp"

namespace nanoatlas::kernels::reference {
namespace {

const float* f32(const void* values) {
    return static_cast<const float*>(values);
}
float* f32(void* values) {
    return static_cast<float*>(values);
}

std::vector<const float*> f32(Addends addends) {
    std::vector<const float*> typed;
    for (const void* each : addends) typed.push_back(f32(each));
    return typed;
}

class ReferenceConvolution final : public kernels::Convolution {
  public:
    explicit ReferenceConvolution(const ConvolutionShape& shape) : shape_(shape) {}

    void set_weights(const float* weights, const float* bias) override {
        const auto count = shape_.output.channels * (shape_.input.channels / shape_.groups) *
                           shape_.window.height * shape_.window.width;
        weights_.assign(weights, weights + count);
        if (bias != nullptr) bias_.assign(bias, bias + shape_.output.channels);
    }
    void set_folded_weights(const float* weights, const float* bias,
                            const Folding& folding) override {
        const FoldedWeights folded(shape_, weights, bias, folding);
        set_weights(folded.weights.data(), folded.bias.data());
    }
    void forward(const void* x, const void* addend, void* y) override {
        convolution_forward(shape_, f32(x), weights_.data(), bias_.empty() ? nullptr : bias_.data(),
                            f32(addend), f32(y));
    }
    void backward_data(const void* dy, void* dx) override {
        convolution_backward_data(shape_, f32(dy), weights_.data(), f32(dx));
    }
    void backward_weights(const void* x, const void* dy, float* dweights, float* dbias) override {
        convolution_backward_weights(shape_, f32(x), f32(dy), dweights, dbias);
    }

  private:
    ConvolutionShape shape_;
    std::vector<float> weights_, bias_;
};

class ReferencePooling final : public kernels::Pooling {
  public:
    explicit ReferencePooling(const PoolShape& shape) : shape_(shape) {}

    void forward(const void* x, void* y) override {
        pool_forward(shape_, f32(x), f32(y));
        if (shape_.training) input_.assign(f32(x), f32(x) + shape_.input.elements());
    }
    void backward(const void* dy, void* dx) override {
        pool_backward(shape_, input_.data(), f32(dy), f32(dx));
    }

  private:
    PoolShape shape_;
    std::vector<float> input_;
};

class ReferenceBackend final : public kernels::Backend, private NormPasses {
  public:
    std::string name() const override { return "reference"; }
    Precision precision() const override { return Precision::f32; }

    Memory allocate(std::int64_t bytes) override {
        constexpr std::align_val_t line{64};
        return {::operator new(static_cast<std::size_t>(bytes), line),
                [](void* memory) { ::operator delete(memory, line); }};
    }
    std::int64_t scratch_bytes() const override { return 0; }
    std::unique_ptr<kernels::Convolution> convolution(const ConvolutionShape& shape) override {
        return std::make_unique<ReferenceConvolution>(shape);
    }
    std::unique_ptr<kernels::Pooling> pooling(const PoolShape& shape) override {
        return std::make_unique<ReferencePooling>(shape);
    }
    std::unique_ptr<kernels::BatchNorm> batch_norm(const BatchNormShape& shape) override {
        return make_batch_norm(shape, *this);
    }

    void import_images(const float* from, const ImageShape& shape, void* to) override {
        const auto pixels = shape.height * shape.width;
        for (std::int64_t i = 0; i < shape.elements(); ++i) {
            const auto channel = i / pixels % shape.channels, sample = i / pixels / shape.channels;
            f32(to)[(sample * pixels + i % pixels) * shape.channels + channel] = from[i];
        }
    }
    void export_images(const void* from, const ImageShape& shape, float* to) override {
        const auto pixels = shape.height * shape.width;
        for (std::int64_t i = 0; i < shape.elements(); ++i) {
            const auto channel = i / pixels % shape.channels, sample = i / pixels / shape.channels;
            to[i] = f32(from)[(sample * pixels + i % pixels) * shape.channels + channel];
        }
    }

    void layer_norm(const void* x, std::int64_t rows, std::int64_t channels,
                    const LayerNormCoefficients& coefficients, void* y) override {
        reference::layer_norm(f32(x), rows, channels, coefficients, f32(y));
    }
    void layer_norm_backward(const void* dy, const void* x, std::int64_t rows,
                             std::int64_t channels, const LayerNormCoefficients& coefficients,
                             void* dx, float* dweight, float* dbias) override {
        reference::layer_norm_backward(f32(dy), f32(x), rows, channels, coefficients, f32(dx),
                                       dweight, dbias);
    }
    void gelu(const void* x, std::int64_t elements, void* y) override {
        reference::gelu(f32(x), elements, f32(y));
    }
    void gelu_backward(const void* dy, const void* x, std::int64_t elements, void* dx) override {
        reference::gelu_backward(f32(dy), f32(x), elements, f32(dx));
    }
    void scale(const void* x, const void* addend, const ImageShape& shape, const Scale& by,
               void* y) override {
        reference::scale(f32(x), f32(addend), shape, by, f32(y));
    }
    void scale_backward(const void* dy, const void* x, const ImageShape& shape, const Scale& by,
                        void* dx, float* dby_channel) override {
        reference::scale_backward(f32(dy), f32(x), shape, by, f32(dx), dby_channel);
    }

    void add(Addends parts, Activation activation, std::int64_t elements, void* y) override {
        reference::add<float>(f32(parts), activation, elements, f32(y));
    }
    void activation_backward(Addends gradients, const void* y, Activation activation,
                             std::int64_t elements, void* dx) override {
        reference::activation_backward<float>(f32(gradients), f32(y), activation, elements,
                                              f32(dx));
    }
    void copy_channels(const void* from, std::int64_t from_channels, std::int64_t from_first,
                       void* to, std::int64_t to_channels, std::int64_t to_first,
                       std::int64_t channels, std::int64_t rows) override {
        for (std::int64_t row = 0; row < rows; ++row)
            std::copy_n(f32(from) + row * from_channels + from_first, channels,
                        f32(to) + row * to_channels + to_first);
    }
    void adaptive_average(const void* x, const ImageShape& input, const ImageShape& output,
                          void* y) override {
        reference::adaptive_average(f32(x), input, output, f32(y));
    }
    void adaptive_average_backward(const void* dy, const ImageShape& input,
                                   const ImageShape& output, void* dx) override {
        reference::adaptive_average_backward(f32(dy), input, output, f32(dx));
    }
    void dropout(const void* x, const ImageShape& shape, const DropoutKey& key, void* y) override {
        reference::dropout(f32(x), shape, key, f32(y));
    }

    void multiply(const float* x, float factor, std::int64_t count, float* y) override {
        for (std::int64_t i = 0; i < count; ++i) y[i] = factor * x[i];
    }
    void accumulate(const float* x, float factor, std::int64_t count, float* sum) override {
        for (std::int64_t i = 0; i < count; ++i) sum[i] += factor * x[i];
    }
    void approach(const float* x, float part, std::int64_t count, float* average) override {
        for (std::int64_t i = 0; i < count; ++i) average[i] += part * (x[i] - average[i]);
    }
    std::unique_ptr<Loss> loss(const LossShape& shape) override { return make_loss(*this, shape); }
    std::unique_ptr<PictureReader> picture_reader(const PictureFormat&) override { return nullptr; }
    std::unique_ptr<Updater> updater(const UpdateOptions& options,
                                     std::span<const UpdateSlice> slices) override {
        return make_updater(options, slices);
    }

  private:
    void norm_sums(const void* x, std::int64_t rows, std::int64_t channels, double* sums) override {
        reference::norm_sums(f32(x), rows, channels, sums);
    }
    void norm_forward(const void* x, const void* addend, std::int64_t rows, std::int64_t channels,
                      const NormCoefficients& coefficients, Activation activation,
                      void* y) override {
        reference::norm_forward(f32(x), f32(addend), rows, channels, coefficients, activation,
                                f32(y));
    }
    void norm_backward_sums(Addends gradients, const void* y, const void* x, std::int64_t rows,
                            std::int64_t channels, const float* mean, Activation activation,
                            void* g, double* sums) override {
        reference::norm_backward_sums<float>(f32(gradients), f32(y), f32(x), rows, channels, mean,
                                             activation, f32(g), sums);
    }
    void norm_backward_data(const void* g, const void* x, std::int64_t rows, std::int64_t channels,
                            const NormGradientCoefficients& coefficients, void* dx) override {
        reference::norm_backward_data(f32(g), f32(x), rows, channels, coefficients, f32(dx));
    }
    void norm_backward_sums(const void* dy, const void* x, std::int64_t rows, std::int64_t channels,
                            const NormCoefficients& by, Activation activation,
                            double* sums) override {
        const auto g = passed_on(dy, x, rows, channels, by, activation);
        const float* const gradients[] = {g.data()};
        reference::norm_backward_sums<float>(gradients, nullptr, f32(x), rows, channels, by.mean,
                                             Activation::none, nullptr, sums);
    }
    void norm_backward_data(const void* dy, const void* x, std::int64_t rows, std::int64_t channels,
                            const NormCoefficients& by, Activation activation,
                            const NormGradientCoefficients& coefficients, void* dx) override {
        const auto g = passed_on(dy, x, rows, channels, by, activation);
        reference::norm_backward_data(g.data(), f32(x), rows, channels, coefficients, f32(dx));
    }
    static std::vector<float> passed_on(const void* dy, const void* x, std::int64_t rows,
                                        std::int64_t channels, const NormCoefficients& by,
                                        Activation activation) {
        std::vector<float> g(static_cast<std::size_t>(rows * channels));
        norm_pass_on(f32(dy), f32(x), rows, channels, by, activation, g.data());
        return g;
    }
};

}  // namespace

std::unique_ptr<Backend> make_backend() {
    return std::make_unique<ReferenceBackend>();
}

}  // namespace nanoatlas::kernels::reference
