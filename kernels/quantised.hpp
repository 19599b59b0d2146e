// Evaluation on 8-bit integers: convolutions, pooling and the loops between them.
//
// An element q, s8 or u8, stands for scale * q; zero is zero, so padding needs no care. Weights are
// s8 with a scale for each output channel, sums are exact in 32 bits, and only what is put out is
// rounded: to the nearest, ties to even, and to the ends of its range. Shapes and layouts are those
// of kernels/cnn.hpp. Jacob et al., CVPR 2018.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/cnn.hpp"

namespace nanoatlas::kernels {

enum class Element { f32, s8, u8 };

/// How the elements of an image are stored and what they stand for.
struct Format {
    Element element = Element::f32;
    float scale = 1;  ///< 1 for f32

    bool is_integer() const { return element != Element::f32; }
    std::int64_t bytes() const { return is_integer() ? 1 : 4; }
    bool operator==(const Format&) const = default;
};

/// Weights of a convolution as integers in [-limit, limit].
struct QuantisedWeights {
    std::vector<std::int8_t> values;  ///< [out, in / groups, height, width]
    std::vector<float> scales;        ///< [out]
};

/// The largest weight of each output channel becomes the limit.
inline QuantisedWeights quantise_weights(std::span<const float> weights, std::int64_t outputs,
                                         int limit) {
    QuantisedWeights quantised;
    quantised.values.reserve(weights.size());
    const auto length = weights.size() / static_cast<std::size_t>(outputs);
    for (std::size_t first = 0; first < weights.size(); first += length) {
        const auto row = weights.subspan(first, length);
        float largest = 0;
        for (const float weight : row) largest = std::max(largest, std::abs(weight));
        const float scale = largest > 0 ? largest / static_cast<float>(limit) : 1;
        quantised.scales.push_back(scale);
        for (const float weight : row)
            quantised.values.push_back(static_cast<std::int8_t>(std::nearbyint(weight / scale)));
    }
    return quantised;
}

struct QuantisedConvolutionShape {
    ConvolutionShape shape;  ///< not for training
    Format x;                ///< integers
    Format addend;           ///< integers if y is, f32 if y is; without one any
    Format y;
};

class QuantisedConvolution {
  public:
    virtual ~QuantisedConvolution() = default;
    /// Largest magnitude of its integer weights: 127, or 63 where the processor adds products in
    /// 16 bits, which larger ones would overflow.
    virtual int weight_limit() const = 0;
    /// Quantises and packs; bias null without one.
    virtual void set_weights(const float* weights, const float* bias) = 0;
    /// y = activation(x * weights + bias + addend)
    virtual void forward(const void* x, const void* addend, void* y) = 0;
};

/// y = activation(x * factors + shifts), by channel; both empty: 1 and 0. In any formats; the
/// activation is no GELU.
struct Rescaling {
    Format x, y;
    Activation activation = Activation::none;
    std::span<const float> factors = {}, shifts = {};
};

class QuantisedBackend {
  public:
    virtual ~QuantisedBackend() = default;
    virtual std::unique_ptr<QuantisedConvolution> convolution(
        const QuantisedConvolutionShape& shape) = 0;
    /// Of integers, whose format stays.
    virtual std::unique_ptr<Pooling> pooling(const PoolShape& shape, Element element) = 0;
    virtual void rescale(const void* x, std::int64_t rows, std::int64_t channels,
                         const Rescaling& how, void* y) = 0;
    /// Channels of integers [from_first, from_first + channels) become [to_first, ...).
    virtual void copy_channels(const void* from, std::int64_t from_channels, void* to,
                               std::int64_t to_channels, std::int64_t to_first,
                               std::int64_t channels, std::int64_t rows) = 0;
    /// As Backend's; y is f32.
    virtual void adaptive_average(const void* x, const Format& format, const ImageShape& input,
                                  const ImageShape& output, float* y) = 0;
};

}  // namespace nanoatlas::kernels
