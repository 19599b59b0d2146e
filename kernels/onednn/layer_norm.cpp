// Layer norm: a row of channels fits the first cache, so it is read there as often as need be, and
// nothing is kept for the way back.
#include <cmath>
#include <vector>

#include "kernels/onednn/loops.hpp"
#include "kernels/onednn/thread_sums.hpp"

namespace nanoatlas::kernels::onednn {
namespace {

/// Of one row.
struct Moments {
    float mean, inverse_deviation;
};

template <class T>
Moments moments(const T* x, std::int64_t channels, double eps) {
    float sum = 0, squares = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t c = 0; c < channels; ++c) sum += load(x[c]);
    const float mean = sum / static_cast<float>(channels);
#pragma omp simd reduction(+ : squares)
    for (std::int64_t c = 0; c < channels; ++c) {
        const float distance = load(x[c]) - mean;
        squares += distance * distance;
    }
    const double variance = static_cast<double>(squares) / static_cast<double>(channels);
    return {mean, static_cast<float>(1 / std::sqrt(variance + eps))};
}

/// One row's way back: dx = (g - <g> - u <g u>) / deviation with u = (x - mean) / deviation and
/// g = dy * weight; adds dy * u and dy to the sums [2, channels]. dx may be null, or dy.
template <class T>
void lead_row_back(const T* dy, const T* x, std::int64_t channels, const LayerNormCoefficients& by,
                   T* dx, double* __restrict weight_sums, double* __restrict bias_sums) {
    const auto [mean, inverse] = moments(x, channels, by.eps);
    const float* weight = by.weight;
    float gradients = 0, products = 0;
#pragma omp simd reduction(+ : gradients, products)
    for (std::int64_t c = 0; c < channels; ++c) {
        const float unit = (load(x[c]) - mean) * inverse, gradient = load(dy[c]);
        weight_sums[c] += gradient * unit;
        bias_sums[c] += gradient;
        gradients += gradient * weight[c];
        products += gradient * weight[c] * unit;
    }
    if (dx == nullptr) return;
    const float mean_gradient = gradients / static_cast<float>(channels);
    const float mean_product = products / static_cast<float>(channels);
#pragma omp simd
    for (std::int64_t c = 0; c < channels; ++c) {
        const float unit = (load(x[c]) - mean) * inverse;
        store((load(dy[c]) * weight[c] - mean_gradient - unit * mean_product) * inverse, dx[c]);
    }
}

}  // namespace

template <class T>
void layer_norm(const T* x, std::int64_t rows, std::int64_t channels,
                const LayerNormCoefficients& by, T* y) {
#pragma omp parallel for schedule(static)
    for (std::int64_t row = 0; row < rows; ++row) {
        const T* from = x + row * channels;
        T* to = y + row * channels;
        const auto [mean, inverse] = moments(from, channels, by.eps);
#pragma omp simd
        for (std::int64_t c = 0; c < channels; ++c)
            store((load(from[c]) - mean) * inverse * by.weight[c] + by.bias[c], to[c]);
    }
}

template <class T>
void layer_norm_backward(const T* dy, const T* x, std::int64_t rows, std::int64_t channels,
                         const LayerNormCoefficients& by, T* dx, float* dweight, float* dbias) {
    std::vector<double> sums(static_cast<std::size_t>(2 * channels));
    sum_over_threads(rows, 2 * channels, sums.data(), [&](const Range& range, double* own) {
        for (std::int64_t row = range.first; row < range.last; ++row)
            lead_row_back(dy + row * channels, x + row * channels, channels, by,
                          dx == nullptr ? nullptr : dx + row * channels, own, own + channels);
    });
    for (std::int64_t c = 0; c < channels; ++c) {
        dweight[c] = static_cast<float>(sums[static_cast<std::size_t>(c)]);
        dbias[c] = static_cast<float>(sums[static_cast<std::size_t>(channels + c)]);
    }
}

#define NANOATLAS_INSTANTIATE(T)                                                                 \
    template void layer_norm(const T*, std::int64_t, std::int64_t, const LayerNormCoefficients&, \
                             T*);                                                                \
    template void layer_norm_backward(const T*, const T*, std::int64_t, std::int64_t,            \
                                      const LayerNormCoefficients&, T*, float*, float*);

NANOATLAS_INSTANTIATE(float)
NANOATLAS_INSTANTIATE(BFloat16)

}  // namespace nanoatlas::kernels::onednn
