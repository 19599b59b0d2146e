#include "nn/quantised_stages.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "nn/convolution_tensors.hpp"

namespace nanoatlas::nn {
namespace {

using kernels::Activation;
using kernels::QuantisedBackend;

/// What stands before a value's own activation when it is stored with factors: values end where the
/// integers do, at 6 or before.
Activation stored(Activation activation, const Operand& y) {
    const bool ends = activation == Activation::relu6 && !y.format->factors.empty();
    return ends ? Activation::relu : activation;
}

class ConversionStage final : public Stage {
  public:
    ConversionStage(const Operand& x, const Operand& y, QuantisedBackend& backend)
        : x_(x), y_(y), backend_(backend) {
        for (std::size_t c = 0; c < std::max(x.format->factors.size(), y.format->factors.size());
             ++c) {
            factors_.push_back(x.format->factor(c) / y.format->factor(c));
            shifts_.push_back((x.format->shift(c) - y.format->shift(c)) / y.format->factor(c));
        }
    }

    void forward(const Run& run) override {
        backend_.rescale(run.at(x_.buffer), x_.image.rows(), x_.image.channels,
                         {.x = x_.format->format,
                          .y = y_.format->format,
                          .factors = factors_,
                          .shifts = shifts_},
                         run.at(y_.buffer));
    }

  private:
    Operand x_, y_;
    QuantisedBackend& backend_;
    std::vector<float> factors_, shifts_;
};

class QuantisedConvolutionStage final : public Stage {
  public:
    QuantisedConvolutionStage(const Group& group, const RoundedWeights& rounded, const Operand& x,
                              const Operand& addend, const Operand& y, const Wiring& wiring,
                              QuantisedBackend& backend)
        : x_(x.buffer), addend_(addend.buffer), y_(y.buffer) {
        auto shape = convolution_shape(group, wiring);
        shape.bias = true;
        shape.activation = stored(group.activation, y);
        primitive_ =
            backend.convolution({.shape = shape, .x = x.format->format, .y = y.format->format});
        auto [weights, bias] = rounded;
        for (std::size_t c = 0; c < bias.size(); ++c) {
            bias[c] = (bias[c] - y.format->shift(c)) / y.format->factor(c);
            weights.scales[c] /= y.format->factor(c);
        }
        primitive_->set_weights(weights, bias.data());
    }

    void forward(const Run& run) override {
        primitive_->forward(run.at(x_), addend_ >= 0 ? run.at(addend_) : nullptr, run.at(y_));
    }

  private:
    std::unique_ptr<kernels::QuantisedConvolution> primitive_;
    int x_, addend_, y_;
};

class QuantisedNormStage final : public Stage {
  public:
    QuantisedNormStage(const Group& group, const Operand& x, const Operand& y, const Wiring& wiring,
                       QuantisedBackend& backend)
        : norm_(wiring.node(group.first), wiring.layout()),
          activation_(stored(group.activation, y)),
          x_(x),
          y_(y),
          backend_(backend) {}

    void pack(const float* parameters, const float* buffers) override {
        const auto norm = norm_.tensors(parameters, buffers);
        factors_.resize(static_cast<std::size_t>(x_.image.channels));
        shifts_.resize(factors_.size());
        for (std::size_t c = 0; c < factors_.size(); ++c) {
            const double factor = norm.gamma[c] / std::sqrt(norm.variance[c] + norm.eps);
            const double unit = y_.format->factor(c);
            factors_[c] = static_cast<float>(factor * x_.format->factor(c) / unit);
            shifts_[c] =
                static_cast<float>((norm.beta[c] + (x_.format->shift(c) - norm.mean[c]) * factor -
                                    y_.format->shift(c)) /
                                   unit);
        }
    }

    void forward(const Run& run) override {
        backend_.rescale(run.at(x_.buffer), x_.image.rows(), x_.image.channels,
                         {.x = x_.format->format,
                          .y = y_.format->format,
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
        : pooling_(backend.pooling(pool_shape(group, wiring), x.format->format.element)),
          x_(x.buffer),
          y_(y.buffer) {}

    void forward(const Run& run) override { pooling_->forward(run.at(x_), run.at(y_)); }

  private:
    std::unique_ptr<kernels::Pooling> pooling_;
    int x_, y_;
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

std::unique_ptr<Stage> make_quantised_convolution_stage(const Group& group,
                                                        const RoundedWeights& weights,
                                                        const Operand& x, const Operand& addend,
                                                        const Operand& y, const Wiring& wiring,
                                                        QuantisedBackend& backend) {
    return std::make_unique<QuantisedConvolutionStage>(group, weights, x, addend, y, wiring,
                                                       backend);
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

std::unique_ptr<Stage> make_quantised_concat_stage(std::vector<Operand> parts, const Operand& y,
                                                   QuantisedBackend& backend) {
    return std::make_unique<QuantisedConcatStage>(std::move(parts), y, backend);
}

}  // namespace nanoatlas::nn
