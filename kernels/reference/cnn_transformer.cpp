// Layer norm, GELU, layer scale and stochastic depth: what ConvNeXt took over from transformers.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "kernels/reference/cnn.hpp"

namespace nanoatlas::kernels::reference {
namespace {

/// Of one row.
struct Moments {
    double mean = 0, inverse_deviation = 0;
};

template <class T>
Moments moments(const T* row, std::int64_t channels, double eps) {
    const auto count = static_cast<double>(channels);
    double mean = 0, variance = 0;
    for (std::int64_t c = 0; c < channels; ++c) mean += row[c] / count;
    for (std::int64_t c = 0; c < channels; ++c) variance += std::pow(row[c] - mean, 2) / count;
    return {mean, 1 / std::sqrt(variance + eps)};
}

/// P(X <= x) of a standard normal X.
double normal_below(double x) {
    return 0.5 * (1 + std::erf(x / std::numbers::sqrt2));
}

double normal_density(double x) {
    return std::exp(-0.5 * x * x) * std::numbers::inv_sqrtpi / std::numbers::sqrt2;
}

double channel_scale(const Scale& by, std::int64_t channel) {
    return by.by_channel != nullptr ? by.by_channel[channel] : 1;
}

/// visit(element, channel, what stochastic depth multiplies its sample by)
template <class Visit>
void for_each_element(const ImageShape& shape, const Scale& by, const Visit& visit) {
    const auto per_sample = shape.height * shape.width * shape.channels;
    for (std::int64_t i = 0; i < shape.elements(); ++i)
        visit(i, i % shape.channels, sample_scale(by.depth, i / per_sample));
}

}  // namespace

template <class T>
void layer_norm(const T* x, std::int64_t rows, std::int64_t channels,
                const LayerNormCoefficients& by, T* y) {
    for (std::int64_t row = 0; row < rows; ++row) {
        const T* from = x + row * channels;
        const auto [mean, inverse] = moments(from, channels, by.eps);
        for (std::int64_t c = 0; c < channels; ++c)
            y[row * channels + c] =
                static_cast<T>((from[c] - mean) * inverse * by.weight[c] + by.bias[c]);
    }
}

/// With u = (x - mean) / deviation and g = dy * weight: dx = (g - <g> - u <g u>) / deviation.
template <class T>
void layer_norm_backward(const T* dy, const T* x, std::int64_t rows, std::int64_t channels,
                         const LayerNormCoefficients& by, T* dx, float* dweight, float* dbias) {
    const auto width = static_cast<std::size_t>(channels);
    std::vector<double> weight_sums(width, 0), bias_sums(width, 0), unit(width), gradient(width);
    for (std::int64_t row = 0; row < rows; ++row) {
        const T *from = x + row * channels, *dfrom = dy + row * channels;
        const auto [mean, inverse] = moments(from, channels, by.eps);
        double mean_gradient = 0, mean_product = 0;
        for (std::size_t c = 0; c < width; ++c) {
            unit[c] = (from[c] - mean) * inverse;
            gradient[c] = static_cast<double>(dfrom[c]) * by.weight[c];
            mean_gradient += gradient[c] / static_cast<double>(channels);
            mean_product += gradient[c] * unit[c] / static_cast<double>(channels);
            weight_sums[c] += dfrom[c] * unit[c];
            bias_sums[c] += dfrom[c];
        }
        if (dx == nullptr) continue;
        for (std::size_t c = 0; c < width; ++c)
            dx[row * channels + static_cast<std::int64_t>(c)] =
                static_cast<T>((gradient[c] - mean_gradient - unit[c] * mean_product) * inverse);
    }
    for (std::size_t c = 0; c < width; ++c) {
        dweight[c] = static_cast<float>(weight_sums[c]);
        dbias[c] = static_cast<float>(bias_sums[c]);
    }
}

template <class T>
void gelu(const T* x, std::int64_t elements, T* y) {
    for (std::int64_t i = 0; i < elements; ++i) y[i] = static_cast<T>(x[i] * normal_below(x[i]));
}

template <class T>
void gelu_backward(const T* dy, const T* x, std::int64_t elements, T* dx) {
    for (std::int64_t i = 0; i < elements; ++i)
        dx[i] = static_cast<T>(dy[i] * (normal_below(x[i]) + x[i] * normal_density(x[i])));
}

template <class T>
void scale(const T* x, const T* addend, const ImageShape& shape, const Scale& by, T* y) {
    for_each_element(shape, by, [&](std::int64_t i, std::int64_t channel, double depth) {
        const double value = x[i] * channel_scale(by, channel) * depth;
        y[i] = static_cast<T>(addend == nullptr ? value : value + addend[i]);
    });
}

template <class T>
void scale_backward(const T* dy, const T* x, const ImageShape& shape, const Scale& by, T* dx,
                    float* dby_channel) {
    std::vector<double> sums(static_cast<std::size_t>(shape.channels), 0);
    for_each_element(shape, by, [&](std::int64_t i, std::int64_t channel, double depth) {
        if (dby_channel != nullptr)
            sums[static_cast<std::size_t>(channel)] += depth * dy[i] * static_cast<double>(x[i]);
        if (dx != nullptr) dx[i] = static_cast<T>(dy[i] * channel_scale(by, channel) * depth);
    });
    if (dby_channel == nullptr) return;
    std::ranges::transform(sums, dby_channel, [](double sum) { return static_cast<float>(sum); });
}

#define NANOATLAS_INSTANTIATE(T)                                                                 \
    template void layer_norm(const T*, std::int64_t, std::int64_t, const LayerNormCoefficients&, \
                             T*);                                                                \
    template void layer_norm_backward(const T*, const T*, std::int64_t, std::int64_t,            \
                                      const LayerNormCoefficients&, T*, float*, float*);         \
    template void gelu(const T*, std::int64_t, T*);                                              \
    template void gelu_backward(const T*, const T*, std::int64_t, T*);                           \
    template void scale(const T*, const T*, const ImageShape&, const Scale&, T*);                \
    template void scale_backward(const T*, const T*, const ImageShape&, const Scale&, T*, float*);

NANOATLAS_INSTANTIATE(float)
NANOATLAS_INSTANTIATE(double)

}  // namespace nanoatlas::kernels::reference
