#include "kernels/reference/cnn.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>
#include <vector>

namespace nanoatlas::kernels::reference {
namespace {

std::size_t at(const ImageShape& shape, std::int64_t sample, std::int64_t row, std::int64_t column,
               std::int64_t channel) {
    return static_cast<std::size_t>(
        ((sample * shape.height + row) * shape.width + column) * shape.channels + channel);
}

/// visit(sample, output row, output column, kernel row, kernel column, input row, input column)
/// where the window lies on the image.
template <class Visit>
void for_each_window(const ImageShape& input, const ImageShape& output, const Window& window,
                     const Visit& visit) {
    for (std::int64_t sample = 0; sample < output.samples; ++sample)
        for (std::int64_t row = 0; row < output.height; ++row)
            for (std::int64_t column = 0; column < output.width; ++column)
                for (std::int64_t i = 0; i < window.height; ++i)
                    for (std::int64_t j = 0; j < window.width; ++j) {
                        const auto y = row * window.stride_y + i * window.dilation_y - window.top;
                        const auto x =
                            column * window.stride_x + j * window.dilation_x - window.left;
                        if (y >= 0 && y < input.height && x >= 0 && x < input.width)
                            visit(sample, row, column, i, j, y, x);
                    }
}

/// visit(index in output, index in input, index in weights) for each product of a convolution.
template <class Visit>
void for_each_product(const ConvolutionShape& shape, const Visit& visit) {
    const auto in = shape.input.channels / shape.groups, out = shape.output.channels / shape.groups;
    for_each_window(
        shape.input, shape.output, shape.window,
        [&](auto sample, auto row, auto column, auto i, auto j, auto y, auto x) {
            for (std::int64_t to = 0; to < shape.output.channels; ++to)
                for (std::int64_t from = 0; from < in; ++from) {
                    const auto weight =
                        ((to * in + from) * shape.window.height + i) * shape.window.width + j;
                    visit(at(shape.output, sample, row, column, to),
                          at(shape.input, sample, y, x, to / out * in + from),
                          static_cast<std::size_t>(weight));
                }
        });
}

template <class T>
T activate(double value, Activation activation) {
    if (activation == Activation::gelu)
        return static_cast<T>(0.5 * value * (1 + std::erf(value / std::numbers::sqrt2)));
    if (activation != Activation::none) value = std::max(value, 0.0);
    if (activation == Activation::relu6) value = std::min(value, 6.0);
    return static_cast<T>(value);
}

template <class T>
bool passes(T y, Activation activation) {
    return activation == Activation::none || (y > 0 && (activation == Activation::relu || y < 6));
}

template <class T>
double sum_at(Tensors<T> parts, std::size_t index) {
    double sum = 0;
    for (const T* part : parts) sum += part[index];
    return sum;
}

template <class T>
void store(const std::vector<double>& sums, T* to) {
    std::transform(sums.begin(), sums.end(), to, [](double sum) { return static_cast<T>(sum); });
}

/// First and last + 1 of the input's pixels that adaptive pooling averages.
std::pair<std::int64_t, std::int64_t> adaptive_range(std::int64_t i, std::int64_t in,
                                                     std::int64_t out) {
    return {i * in / out, ((i + 1) * in + out - 1) / out};
}

/// visit(index in output, index in input, pixels averaged)
template <class Visit>
void for_each_average(const ImageShape& input, const ImageShape& output, const Visit& visit) {
    for (std::int64_t sample = 0; sample < output.samples; ++sample)
        for (std::int64_t row = 0; row < output.height; ++row)
            for (std::int64_t column = 0; column < output.width; ++column) {
                const auto [top, bottom] = adaptive_range(row, input.height, output.height);
                const auto [left, right] = adaptive_range(column, input.width, output.width);
                for (auto y = top; y < bottom; ++y)
                    for (auto x = left; x < right; ++x)
                        for (std::int64_t channel = 0; channel < input.channels; ++channel)
                            visit(at(output, sample, row, column, channel),
                                  at(input, sample, y, x, channel),
                                  static_cast<double>((bottom - top) * (right - left)));
            }
}

}  // namespace

template <class T>
void convolution_forward(const ConvolutionShape& shape, const T* x, const T* weights, const T* bias,
                         const T* addend, T* y) {
    std::vector<double> sums(static_cast<std::size_t>(shape.output.elements()), 0);
    for_each_product(shape, [&](std::size_t to, std::size_t from, std::size_t weight) {
        sums[to] += static_cast<double>(x[from]) * static_cast<double>(weights[weight]);
    });
    for (std::size_t i = 0; i < sums.size(); ++i) {
        if (bias != nullptr) sums[i] += bias[i % static_cast<std::size_t>(shape.output.channels)];
        if (addend != nullptr) sums[i] += addend[i];
        y[i] = activate<T>(sums[i], shape.activation);
    }
}

template <class T>
void convolution_backward_data(const ConvolutionShape& shape, const T* dy, const T* weights,
                               T* dx) {
    std::vector<double> sums(static_cast<std::size_t>(shape.input.elements()), 0);
    for_each_product(shape, [&](std::size_t to, std::size_t from, std::size_t weight) {
        sums[from] += static_cast<double>(dy[to]) * static_cast<double>(weights[weight]);
    });
    store(sums, dx);
}

template <class T>
void convolution_backward_weights(const ConvolutionShape& shape, const T* x, const T* dy,
                                  T* dweights, T* dbias) {
    const auto channels = static_cast<std::size_t>(shape.output.channels);
    std::vector<double> sums(channels *
                             static_cast<std::size_t>(shape.input.channels / shape.groups *
                                                      shape.window.height * shape.window.width));
    for_each_product(shape, [&](std::size_t to, std::size_t from, std::size_t weight) {
        sums[weight] += static_cast<double>(dy[to]) * static_cast<double>(x[from]);
    });
    store(sums, dweights);
    if (dbias == nullptr) return;
    std::vector<double> bias_sums(channels, 0);
    for (std::size_t i = 0; i < static_cast<std::size_t>(shape.output.elements()); ++i)
        bias_sums[i % channels] += dy[i];
    store(bias_sums, dbias);
}

template <class T>
void pool_forward(const PoolShape& shape, const T* x, T* y) {
    const auto& window = shape.window;
    const bool max = shape.kind == PoolKind::max;
    std::fill_n(y, shape.output.elements(), max ? std::numeric_limits<T>::lowest() : T{0});
    for_each_window(
        shape.input, shape.output, window,
        [&](auto sample, auto row, auto column, auto, auto, auto in_row, auto in_column) {
            for (std::int64_t channel = 0; channel < shape.input.channels; ++channel) {
                T& to = y[at(shape.output, sample, row, column, channel)];
                const T from = x[at(shape.input, sample, in_row, in_column, channel)];
                to = max ? std::max(to, from) : to + from / T(window.height * window.width);
            }
        });
}

template <class T>
void pool_backward(const PoolShape& shape, const T* x, const T* dy, T* dx) {
    const double area = static_cast<double>(shape.window.height * shape.window.width);
    constexpr auto none = static_cast<std::size_t>(-1);
    std::vector<std::size_t> largest(static_cast<std::size_t>(shape.output.elements()), none);
    std::vector<double> sums(static_cast<std::size_t>(shape.input.elements()), 0);
    for_each_window(
        shape.input, shape.output, shape.window,
        [&](auto sample, auto row, auto column, auto, auto, auto in_row, auto in_column) {
            for (std::int64_t channel = 0; channel < shape.input.channels; ++channel) {
                const auto to = at(shape.output, sample, row, column, channel);
                const auto from = at(shape.input, sample, in_row, in_column, channel);
                if (shape.kind == PoolKind::average)
                    sums[from] += dy[to] / area;
                else if (largest[to] == none || x[from] > x[largest[to]])
                    largest[to] = from;
            }
        });
    for (std::size_t i = 0; i < largest.size(); ++i)
        if (largest[i] != none) sums[largest[i]] += dy[i];
    store(sums, dx);
}

template <class T>
void norm_sums(const T* x, std::int64_t rows, std::int64_t channels, double* sums) {
    std::fill_n(sums, 2 * channels, 0.0);
    for (std::int64_t row = 0; row < rows; ++row)
        for (std::int64_t channel = 0; channel < channels; ++channel) {
            const double value = x[row * channels + channel];
            sums[channel] += value;
            sums[channels + channel] += value * value;
        }
}

template <class T>
void norm_forward(const T* x, const T* addend, std::int64_t rows, std::int64_t channels,
                  const NormCoefficients& coefficients, Activation activation, T* y) {
    for (std::int64_t row = 0; row < rows; ++row)
        for (std::int64_t channel = 0; channel < channels; ++channel) {
            const auto i = row * channels + channel;
            double value = (static_cast<double>(x[i]) - coefficients.mean[channel]) *
                               coefficients.scale[channel] +
                           coefficients.shift[channel];
            if (addend != nullptr) value += addend[i];
            y[i] = activate<T>(value, activation);
        }
}

template <class T>
void norm_backward_sums(Tensors<T> gradients, const T* y, const T* x, std::int64_t rows,
                        std::int64_t channels, const float* mean, Activation activation, T* g,
                        double* sums) {
    if (g != nullptr) activation_backward<T>(gradients, y, activation, rows * channels, g);
    const T* found = g != nullptr ? g : gradients[0];
    std::fill_n(sums, 2 * channels, 0.0);
    for (std::int64_t row = 0; row < rows; ++row)
        for (std::int64_t channel = 0; channel < channels; ++channel) {
            const auto i = row * channels + channel;
            sums[channel] += found[i];
            sums[channels + channel] +=
                static_cast<double>(found[i]) * (static_cast<double>(x[i]) - mean[channel]);
        }
}

template <class T>
void norm_pass_on(const T* dy, const T* x, std::int64_t rows, std::int64_t channels,
                  const NormCoefficients& by, Activation activation, T* g) {
    std::vector<T> y(static_cast<std::size_t>(rows * channels));
    norm_forward<T>(x, nullptr, rows, channels, by, activation, y.data());
    const T* const gradients[] = {dy};
    activation_backward<T>(gradients, y.data(), activation, rows * channels, g);
}

template <class T>
void norm_backward_data(const T* g, const T* x, std::int64_t rows, std::int64_t channels,
                        const NormGradientCoefficients& coefficients, T* dx) {
    for (std::int64_t row = 0; row < rows; ++row)
        for (std::int64_t channel = 0; channel < channels; ++channel) {
            const auto i = row * channels + channel;
            const double distance = static_cast<double>(x[i]) - coefficients.mean[channel];
            dx[i] = static_cast<T>(static_cast<double>(coefficients.by_gradient[channel]) * g[i] +
                                   coefficients.by_input[channel] * distance +
                                   coefficients.constant[channel]);
        }
}

template <class T>
void add(Tensors<T> parts, Activation activation, std::int64_t elements, T* y) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(elements); ++i)
        y[i] = activate<T>(sum_at(parts, i), activation);
}

template <class T>
void activation_backward(Tensors<T> gradients, const T* y, Activation activation,
                         std::int64_t elements, T* dx) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(elements); ++i)
        dx[i] = activation == Activation::none || passes(y[i], activation)
                    ? static_cast<T>(sum_at(gradients, i))
                    : T{0};
}

template <class T>
void adaptive_average(const T* x, const ImageShape& input, const ImageShape& output, T* y) {
    std::vector<double> sums(static_cast<std::size_t>(output.elements()), 0);
    for_each_average(input, output, [&](std::size_t to, std::size_t from, double pixels) {
        sums[to] += x[from] / pixels;
    });
    store(sums, y);
}

template <class T>
void adaptive_average_backward(const T* dy, const ImageShape& input, const ImageShape& output,
                               T* dx) {
    std::vector<double> sums(static_cast<std::size_t>(input.elements()), 0);
    for_each_average(input, output, [&](std::size_t to, std::size_t from, double pixels) {
        sums[from] += dy[to] / pixels;
    });
    store(sums, dx);
}

template <class T>
void dropout(const T* x, const ImageShape& shape, const DropoutKey& key, T* y) {
    const auto elements = shape.height * shape.width * shape.channels;
    const auto scale = 1 / (1 - key.probability);
    for (std::int64_t sample = 0; sample < shape.samples; ++sample)
        for (std::int64_t i = 0; i < elements; ++i) {
            const auto j = sample * elements + i;
            y[j] = dropout_keeps(key, sample, i) ? static_cast<T>(x[j] * scale) : T{0};
        }
}

#define NANOATLAS_INSTANTIATE(T)                                                                 \
    template void convolution_forward(const ConvolutionShape&, const T*, const T*, const T*,     \
                                      const T*, T*);                                             \
    template void convolution_backward_data(const ConvolutionShape&, const T*, const T*, T*);    \
    template void convolution_backward_weights(const ConvolutionShape&, const T*, const T*, T*,  \
                                               T*);                                              \
    template void pool_forward(const PoolShape&, const T*, T*);                                  \
    template void pool_backward(const PoolShape&, const T*, const T*, T*);                       \
    template void norm_sums(const T*, std::int64_t, std::int64_t, double*);                      \
    template void norm_forward(const T*, const T*, std::int64_t, std::int64_t,                   \
                               const NormCoefficients&, Activation, T*);                         \
    template void norm_backward_sums(Tensors<T>, const T*, const T*, std::int64_t, std::int64_t, \
                                     const float*, Activation, T*, double*);                     \
    template void norm_pass_on(const T*, const T*, std::int64_t, std::int64_t,                   \
                               const NormCoefficients&, Activation, T*);                         \
    template void norm_backward_data(const T*, const T*, std::int64_t, std::int64_t,             \
                                     const NormGradientCoefficients&, T*);                       \
    template void add(Tensors<T>, Activation, std::int64_t, T*);                                 \
    template void activation_backward(Tensors<T>, const T*, Activation, std::int64_t, T*);       \
    template void adaptive_average(const T*, const ImageShape&, const ImageShape&, T*);          \
    template void adaptive_average_backward(const T*, const ImageShape&, const ImageShape&, T*); \
    template void dropout(const T*, const ImageShape&, const DropoutKey&, T*);

NANOATLAS_INSTANTIATE(float)
NANOATLAS_INSTANTIATE(double)

}  // namespace nanoatlas::kernels::reference
