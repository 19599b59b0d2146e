#include "nn/quantised_stages.hpp"

#include <utility>

#include "nn/convolution_tensors.hpp"

namespace nanoatlas::nn {
namespace {

using kernels::QuantisedBackend;

class ConversionStage final : public Stage {
  public:
    ConversionStage(const Operand& x, const Operand& y, QuantisedBackend& backend)
        : x_(x), y_(y), backend_(backend) {}

    void forward(const Run& run) override {
        backend_.rescale(run.at(x_.buffer), x_.image.rows(), x_.image.channels,
                         {.x = x_.format, .y = y_.format}, run.at(y_.buffer));
    }

  private:
    Operand x_, y_;
    QuantisedBackend& backend_;
};

class QuantisedConvolutionStage final : public Stage {
  public:
    QuantisedConvolutionStage(const Group& group, const Operand& x, const Operand& addend,
                              const Operand& y, const Wiring& wiring, QuantisedBackend& backend)
        : tensors_(group, wiring),
          primitive_(backend.convolution({.shape = convolution_shape(group, wiring),
                                          .x = x.format,
                                          .addend = addend.format,
                                          .y = y.format})),
          x_(x.buffer),
          addend_(addend.buffer),
          y_(y.buffer) {}

    void pack(const float* parameters, const float* buffers) override {
        tensors_.with_folded(parameters, buffers, [&](const float* weights, const float* bias) {
            primitive_->set_weights(weights, bias);
        });
    }

    void forward(const Run& run) override {
        primitive_->forward(run.at(x_), addend_ >= 0 ? run.at(addend_) : nullptr, run.at(y_));
    }

  private:
    ConvolutionTensors tensors_;
    std::unique_ptr<kernels::QuantisedConvolution> primitive_;
    int x_, addend_, y_;
};

class QuantisedNormStage final : public Stage {
  public:
    QuantisedNormStage(const Group& group, const Operand& x, const Operand& y, const Wiring& wiring,
                       QuantisedBackend& backend)
        : norm_(wiring.node(group.first), wiring.layout()),
          activation_(group.activation),
          x_(x),
          y_(y),
          backend_(backend) {}

    void pack(const float* parameters, const float* buffers) override {
        factors_.assign(static_cast<std::size_t>(x_.image.channels), 1);
        shifts_.assign(factors_.size(), 0);
        norm_.fold(parameters, buffers, factors_, shifts_);
    }

    void forward(const Run& run) override {
        backend_.rescale(run.at(x_.buffer), x_.image.rows(), x_.image.channels,
                         {.x = x_.format,
                          .y = y_.format,
                          .activation = activation_,
                          .factors = factors_,
                          .shifts = shifts_},
                         run.at(y_.buffer));
    }

  private:
    FoldedNorm norm_;
    kernels::Activation activation_;
    std::vector<float> factors_, shifts_;
    Operand x_, y_;
    QuantisedBackend& backend_;
};

class QuantisedPoolStage final : public Stage {
  public:
    QuantisedPoolStage(const Group& group, const Operand& x, const Operand& y, const Wiring& wiring,
                       QuantisedBackend& backend)
        : pooling_(backend.pooling(pool_shape(group, wiring), x.format.element)),
          x_(x.buffer),
          y_(y.buffer) {}

    void forward(const Run& run) override { pooling_->forward(run.at(x_), run.at(y_)); }

  private:
    std::unique_ptr<kernels::Pooling> pooling_;
    int x_, y_;
};

class QuantisedAverageStage final : public Stage {
  public:
    QuantisedAverageStage(const Operand& x, const Operand& y, QuantisedBackend& backend)
        : x_(x), y_(y), backend_(backend) {}

    void forward(const Run& run) override {
        backend_.adaptive_average(run.at(x_.buffer), x_.format, x_.image, y_.image,
                                  static_cast<float*>(run.at(y_.buffer)));
    }

  private:
    Operand x_, y_;
    QuantisedBackend& backend_;
};

class QuantisedConcatStage final : public Stage {
  public:
    QuantisedConcatStage(std::vector<Operand> parts, const Operand& y, QuantisedBackend& backend)
        : parts_(std::move(parts)), y_(y), backend_(backend) {}

    void forward(const Run& run) override {
        std::int64_t first = 0;
        for (const auto& part : parts_) {
            const auto channels = part.image.channels;
            backend_.copy_channels(run.at(part.buffer), channels, run.at(y_.buffer),
                                   y_.image.channels, first, channels, y_.image.rows());
            first += channels;
        }
    }

  private:
    std::vector<Operand> parts_;
    Operand y_;
    QuantisedBackend& backend_;
};

}  // namespace

std::unique_ptr<Stage> make_conversion_stage(const Operand& x, const Operand& y,
                                             QuantisedBackend& backend) {
    return std::make_unique<ConversionStage>(x, y, backend);
}

std::unique_ptr<Stage> make_quantised_convolution_stage(const Group& group, const Operand& x,
                                                        const Operand& addend, const Operand& y,
                                                        const Wiring& wiring,
                                                        QuantisedBackend& backend) {
    return std::make_unique<QuantisedConvolutionStage>(group, x, addend, y, wiring, backend);
}

std::unique_ptr<Stage> make_quantised_norm_stage(const Group& group, const Operand& x,
                                                 const Operand& y, const Wiring& wiring,
                                                 QuantisedBackend& backend) {
    return std::make_unique<QuantisedNormStage>(group, x, y, wiring, backend);
}

std::unique_ptr<Stage> make_quantised_pool_stage(const Group& group, const Operand& x,
                                                 const Operand& y, const Wiring& wiring,
                                                 QuantisedBackend& backend) {
    return std::make_unique<QuantisedPoolStage>(group, x, y, wiring, backend);
}

std::unique_ptr<Stage> make_quantised_average_stage(const Operand& x, const Operand& y,
                                                    QuantisedBackend& backend) {
    return std::make_unique<QuantisedAverageStage>(x, y, backend);
}

std::unique_ptr<Stage> make_quantised_concat_stage(std::vector<Operand> parts, const Operand& y,
                                                   QuantisedBackend& backend) {
    return std::make_unique<QuantisedConcatStage>(std::move(parts), y, backend);
}

}  // namespace nanoatlas::nn
