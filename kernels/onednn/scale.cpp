// Layer scale and stochastic depth, with the sum behind them.
#include <vector>

#include "kernels/onednn/loops.hpp"
#include "kernels/onednn/thread_sums.hpp"

namespace nanoatlas::kernels::onednn {
namespace {

/// A scale's two factors as numbers.
struct Factors {
    Factors(const Scale& by, const ImageShape& shape)
        : pixels(shape.height * shape.width),
          by_channel(static_cast<std::size_t>(shape.channels), 1.0F) {
        if (by.by_channel != nullptr)
            by_channel.assign(by.by_channel, by.by_channel + shape.channels);
        for (std::int64_t sample = 0; sample < shape.samples; ++sample)
            by_sample.push_back(static_cast<float>(sample_scale(by.depth, sample)));
    }
    float of_row(std::int64_t row) const {
        return by_sample[static_cast<std::size_t>(row / pixels)];
    }

    std::int64_t pixels;
    std::vector<float> by_channel, by_sample;
};

}  // namespace

template <class T>
void scale(const T* x, const T* addend, const ImageShape& shape, const Scale& by, T* y) {
    const Factors factors(by, shape);
    const float* by_channel = factors.by_channel.data();
    const std::int64_t channels = shape.channels;
#pragma omp parallel for schedule(static)
    for (std::int64_t row = 0; row < shape.rows(); ++row) {
        const std::int64_t first = row * channels;
        const float by_sample = factors.of_row(row);
        if (addend == nullptr) {
#pragma omp simd
            for (std::int64_t c = 0; c < channels; ++c)
                store(load(x[first + c]) * by_channel[c] * by_sample, y[first + c]);
        } else {
#pragma omp simd
            for (std::int64_t c = 0; c < channels; ++c)
                store(load(x[first + c]) * by_channel[c] * by_sample + load(addend[first + c]),
                      y[first + c]);
        }
    }
}

template <class T>
void scale_backward(const T* dy, const T* x, const ImageShape& shape, const Scale& by, T* dx,
                    float* dby_channel) {
    const Factors factors(by, shape);
    const float* by_channel = factors.by_channel.data();
    const std::int64_t channels = shape.channels;
    std::vector<double> sums(static_cast<std::size_t>(channels));
    sum_over_threads(shape.rows(), channels, sums.data(), [&](const Range& range, double* own) {
        double* __restrict sum = own;
        for (std::int64_t row = range.first; row < range.last; ++row) {
            const std::int64_t first = row * channels;
            const float by_sample = factors.of_row(row);
            if (dby_channel != nullptr) {
#pragma omp simd
                for (std::int64_t c = 0; c < channels; ++c)
                    sum[c] += by_sample * load(dy[first + c]) * load(x[first + c]);
            }
            if (dx == nullptr) continue;
#pragma omp simd
            for (std::int64_t c = 0; c < channels; ++c)
                store(load(dy[first + c]) * by_channel[c] * by_sample, dx[first + c]);
        }
    });
    if (dby_channel == nullptr) return;
    for (std::size_t c = 0; c < sums.size(); ++c) dby_channel[c] = static_cast<float>(sums[c]);
}

#define NANOATLAS_INSTANTIATE(T)                                                  \
    template void scale(const T*, const T*, const ImageShape&, const Scale&, T*); \
    template void scale_backward(const T*, const T*, const ImageShape&, const Scale&, T*, float*);

NANOATLAS_INSTANTIATE(float)
NANOATLAS_INSTANTIATE(BFloat16)

}  // namespace nanoatlas::kernels::onednn
