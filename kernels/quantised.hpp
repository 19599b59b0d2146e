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

/// Weights of a convolution as integers.
struct QuantisedWeights {
    std::vector<std::int8_t> values;  ///< [out, in / groups, height, width]
    std::vector<float> scales;        ///< [out]
};

/// How large a convolution's integer weights may be for its sums to be exact.
struct WeightBounds {
    int single = 127;  ///< magnitude of each
    /// Magnitude of the sum of two of one sign, of the input channels 2i and 2i + 1 (within a
    /// group) at one place of the kernel: processors without VNNI add their products in 16 bits.
    int pair = 254;
    bool operator==(const WeightBounds&) const = default;
};

/// The step of a row of weights [in / groups, height * width = area] at which none, rounded to the
/// nearest, breaks its bounds.
inline float weight_step(std::span<const float> row, std::size_t area, const WeightBounds& bounds) {
    float single = 0, pair = 0;
    for (std::size_t i = 0; i < row.size(); ++i) {
        single = std::max(single, std::abs(row[i]));
        const bool has_partner = i / area % 2 == 0 && i + area < row.size();
        if (has_partner && row[i] * row[i + area] > 0)
            pair = std::max(pair, std::abs(row[i] + row[i + area]));
    }
    // Both of a pair may be rounded away from 0, by a half each.
    const float step = std::max(single / static_cast<float>(bounds.single),
                                pair / static_cast<float>(bounds.pair - 1));
    return step > 0 ? step : 1;
}

/// To the nearest, each output channel in its own step.
inline QuantisedWeights quantise_weights(std::span<const float> weights, std::int64_t outputs,
                                         std::size_t area, const WeightBounds& bounds) {
    QuantisedWeights quantised;
    quantised.values.reserve(weights.size());
    const auto length = weights.size() / static_cast<std::size_t>(outputs);
    for (std::size_t first = 0; first < weights.size(); first += length) {
        const auto row = weights.subspan(first, length);
        const float step = weight_step(row, area, bounds);
        quantised.scales.push_back(step);
        for (const float weight : row)
            quantised.values.push_back(static_cast<std::int8_t>(std::nearbyint(weight / step)));
    }
    return quantised;
}

struct QuantisedConvolutionShape {
    ConvolutionShape shape;  ///< not for training
    Format x;                ///< integers
    Format y;                ///< f32 if there is an addend, which is f32
};

class QuantisedConvolution {
  public:
    virtual ~QuantisedConvolution() = default;
    /// Packs weights that keep the back end's weight_bounds(); bias null without one.
    virtual void set_weights(const QuantisedWeights& weights, const float* bias) = 0;
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
    /// x: of the images that it reads
    virtual WeightBounds weight_bounds(const ConvolutionShape& shape, Element x) const = 0;
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
};

}  // namespace nanoatlas::kernels
