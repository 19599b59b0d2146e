#include "kernels/reference/quantised.hpp"

#include <limits>
#include <numbers>

#include "kernels/reference/cnn.hpp"

namespace nanoatlas::kernels::reference {
namespace {

double activate(double value, Activation activation) {
    if (activation == Activation::gelu)
        return 0.5 * value * (1 + std::erf(value / std::numbers::sqrt2));
    if (activation != Activation::none) value = std::max(value, 0.0);
    return activation == Activation::relu6 ? std::min(value, 6.0) : value;
}

/// The integers themselves; doubles hold them and their sums exactly.
std::vector<double> integers(const void* image, std::int64_t elements, Element element) {
    std::vector<double> values(static_cast<std::size_t>(elements));
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = read_element(image, i, {.element = element});
    return values;
}

template <class T>
double saturated(double value) {
    return std::clamp<double>(std::nearbyint(value), std::numeric_limits<T>::min(),
                              std::numeric_limits<T>::max());
}

}  // namespace

double read_element(const void* image, std::size_t i, const Format& format) {
    switch (format.element) {
        case Element::s8:
            return static_cast<const std::int8_t*>(image)[i] * static_cast<double>(format.scale);
        case Element::u8:
            return static_cast<const std::uint8_t*>(image)[i] * static_cast<double>(format.scale);
        case Element::f32:
            break;
    }
    return static_cast<const float*>(image)[i];
}

void write_element(double value, const Format& format, void* image, std::size_t i) {
    const double stored = value / static_cast<double>(format.scale);
    switch (format.element) {
        case Element::s8:
            static_cast<std::int8_t*>(image)[i] =
                static_cast<std::int8_t>(saturated<std::int8_t>(stored));
            return;
        case Element::u8:
            static_cast<std::uint8_t*>(image)[i] =
                static_cast<std::uint8_t>(saturated<std::uint8_t>(stored));
            return;
        case Element::f32:
            static_cast<float*>(image)[i] = static_cast<float>(value);
    }
}

void quantised_convolution(const QuantisedConvolutionShape& shape, const void* x,
                           const QuantisedWeights& weights, const float* bias, const float* addend,
                           void* y) {
    auto plain = shape.shape;
    plain.activation = Activation::none;
    const auto values = integers(x, plain.input.elements(), shape.x.element);
    const std::vector<double> factors(weights.values.begin(), weights.values.end());
    std::vector<double> sums(static_cast<std::size_t>(plain.output.elements()));
    convolution_forward<double>(plain, values.data(), factors.data(), nullptr, nullptr,
                                sums.data());
    for (std::size_t i = 0; i < sums.size(); ++i) {
        const auto channel = i % static_cast<std::size_t>(plain.output.channels);
        double value = sums[i] * static_cast<double>(shape.x.scale) *
                       static_cast<double>(weights.scales[channel]);
        if (bias != nullptr) value += static_cast<double>(bias[channel]);
        if (addend != nullptr) value += static_cast<double>(addend[i]);
        write_element(activate(value, shape.shape.activation), shape.y, y, i);
    }
}

void quantised_pool(const PoolShape& shape, Element element, const void* x, void* y) {
    const auto values = integers(x, shape.input.elements(), element);
    std::vector<double> pooled(static_cast<std::size_t>(shape.output.elements()));
    pool_forward<double>(shape, values.data(), pooled.data());
    for (std::size_t i = 0; i < pooled.size(); ++i)
        write_element(pooled[i], {.element = element}, y, i);
}

void rescale(const void* x, std::int64_t rows, std::int64_t channels, const Rescaling& how,
             void* y) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(rows * channels); ++i) {
        const auto channel = i % static_cast<std::size_t>(channels);
        double value = read_element(x, i, how.x);
        if (!how.factors.empty())
            value = value * static_cast<double>(how.factors[channel]) +
                    static_cast<double>(how.shifts[channel]);
        write_element(activate(value, how.activation), how.y, y, i);
    }
}

}  // namespace nanoatlas::kernels::reference
