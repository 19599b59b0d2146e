#include <algorithm>
#include <array>
#include <limits>
#include <utility>
#include <vector>

#include "kernels/onednn/loops.hpp"

namespace nanoatlas::kernels::onednn {
namespace {

/// Elements that are summed at once, in f32 in the first cache.
constexpr std::int64_t chunk = 1024;

/// work(first, count, sums) for each chunk of the sum of parts.
template <class T, class Work>
void for_each_chunk(Addends parts, std::int64_t elements, const Work& work) {
    const std::int64_t chunks = (elements + chunk - 1) / chunk;
#pragma omp parallel for schedule(static)
    for (std::int64_t i = 0; i < chunks; ++i) {
        const std::int64_t first = i * chunk, count = std::min(chunk, elements - first);
        std::array<float, chunk> sums;
        const T* head = static_cast<const T*>(parts[0]) + first;
#pragma omp simd
        for (std::int64_t j = 0; j < count; ++j) sums[static_cast<std::size_t>(j)] = load(head[j]);
        for (std::size_t k = 1; k < parts.size(); ++k) {
            const T* part = static_cast<const T*>(parts[k]) + first;
#pragma omp simd
            for (std::int64_t j = 0; j < count; ++j)
                sums[static_cast<std::size_t>(j)] += load(part[j]);
        }
        work(first, count, sums.data());
    }
}

std::pair<std::int64_t, std::int64_t> adaptive_range(std::int64_t i, std::int64_t in,
                                                     std::int64_t out) {
    return {i * in / out, ((i + 1) * in + out - 1) / out};
}

/// work(output pixel's first element, top, bottom, left, right) for the pixels of one sample.
template <class Work>
void for_each_region(const ImageShape& input, const ImageShape& output, const Work& work) {
    for (std::int64_t row = 0; row < output.height; ++row)
        for (std::int64_t column = 0; column < output.width; ++column) {
            const auto [top, bottom] = adaptive_range(row, input.height, output.height);
            const auto [left, right] = adaptive_range(column, input.width, output.width);
            work((row * output.width + column) * output.channels, top, bottom, left, right);
        }
}

}  // namespace

template <class T>
void add(Addends parts, Activation activation, std::int64_t elements, T* y) {
    const float low = activation == Activation::none ? -std::numeric_limits<float>::infinity() : 0;
    const float high = activation == Activation::relu6 ? 6 : std::numeric_limits<float>::infinity();
    for_each_chunk<T>(parts, elements,
                      [&](std::int64_t first, std::int64_t count, const float* sums) {
#pragma omp simd
                          for (std::int64_t j = 0; j < count; ++j) {
                              const float sum = sums[j] < low ? low : sums[j];
                              store(sum > high ? high : sum, y[first + j]);
                          }
                      });
}

template <class T>
void activation_backward(Addends gradients, const T* y, Activation activation,
                         std::int64_t elements, T* dx) {
    const float high = activation == Activation::relu6 ? 6 : std::numeric_limits<float>::infinity();
    for_each_chunk<T>(gradients, elements,
                      [&](std::int64_t first, std::int64_t count, const float* sums) {
                          if (activation == Activation::none) {
#pragma omp simd
                              for (std::int64_t j = 0; j < count; ++j)
                                  store(sums[j], dx[first + j]);
                              return;
                          }
#pragma omp simd
                          for (std::int64_t j = 0; j < count; ++j) {
                              const float value = load(y[first + j]);
                              const bool passes = (value > 0) & (value < high);
                              store(passes ? sums[j] : 0.0F, dx[first + j]);
                          }
                      });
}

template <class T>
void import_images(const float* from, const ImageShape& shape, T* to) {
    const std::int64_t pixels = shape.height * shape.width, channels = shape.channels;
#pragma omp parallel for schedule(static)
    for (std::int64_t sample = 0; sample < shape.samples; ++sample)
        for (std::int64_t channel = 0; channel < channels; ++channel) {
            const float* plane = from + (sample * channels + channel) * pixels;
            T* image = to + sample * pixels * channels + channel;
            for (std::int64_t i = 0; i < pixels; ++i) store(plane[i], image[i * channels]);
        }
}

template <class T>
void export_images(const T* from, const ImageShape& shape, float* to) {
    const std::int64_t pixels = shape.height * shape.width, channels = shape.channels;
#pragma omp parallel for schedule(static)
    for (std::int64_t sample = 0; sample < shape.samples; ++sample)
        for (std::int64_t channel = 0; channel < channels; ++channel) {
            const T* image = from + sample * pixels * channels + channel;
            float* plane = to + (sample * channels + channel) * pixels;
            for (std::int64_t i = 0; i < pixels; ++i) plane[i] = load(image[i * channels]);
        }
}

template <class T>
void copy_channels(const T* from, std::int64_t from_channels, std::int64_t from_first, T* to,
                   std::int64_t to_channels, std::int64_t to_first, std::int64_t channels,
                   std::int64_t rows) {
#pragma omp parallel for schedule(static)
    for (std::int64_t row = 0; row < rows; ++row)
        std::copy_n(from + row * from_channels + from_first, channels,
                    to + row * to_channels + to_first);
}

template <class T>
void adaptive_average(const T* x, const ImageShape& input, const ImageShape& output, T* y) {
    const std::int64_t channels = input.channels;
#pragma omp parallel
    {
        std::vector<float> sums(static_cast<std::size_t>(channels));
#pragma omp for schedule(static)
        for (std::int64_t sample = 0; sample < input.samples; ++sample) {
            const T* image = x + sample * input.height * input.width * channels;
            T* averages = y + sample * output.height * output.width * channels;
            for_each_region(
                input, output, [&](auto to, auto top, auto bottom, auto left, auto right) {
                    std::ranges::fill(sums, 0.0F);
                    float* __restrict sum = sums.data();
                    for (auto row = top; row < bottom; ++row)
                        for (auto column = left; column < right; ++column) {
                            const T* pixel = image + (row * input.width + column) * channels;
#pragma omp simd
                            for (std::int64_t c = 0; c < channels; ++c) sum[c] += load(pixel[c]);
                        }
                    const float scale = 1.0F / static_cast<float>((bottom - top) * (right - left));
                    for (std::int64_t c = 0; c < channels; ++c)
                        store(sum[c] * scale, averages[to + c]);
                });
        }
    }
}

template <class T>
void adaptive_average_backward(const T* dy, const ImageShape& input, const ImageShape& output,
                               T* dx) {
    const std::int64_t channels = input.channels;
    const auto image_size = input.height * input.width * channels;
#pragma omp parallel
    {
        std::vector<float> sums(static_cast<std::size_t>(image_size));
#pragma omp for schedule(static)
        for (std::int64_t sample = 0; sample < input.samples; ++sample) {
            const T* averages = dy + sample * output.height * output.width * channels;
            T* image = dx + sample * image_size;
            std::ranges::fill(sums, 0.0F);
            float* __restrict sum = sums.data();
            for_each_region(
                input, output, [&](auto from, auto top, auto bottom, auto left, auto right) {
                    const float scale = 1.0F / static_cast<float>((bottom - top) * (right - left));
                    for (auto row = top; row < bottom; ++row)
                        for (auto column = left; column < right; ++column) {
                            const auto pixel = (row * input.width + column) * channels;
#pragma omp simd
                            for (std::int64_t c = 0; c < channels; ++c)
                                sum[pixel + c] += scale * load(averages[from + c]);
                        }
                });
#pragma omp simd
            for (std::int64_t i = 0; i < image_size; ++i) store(sum[i], image[i]);
        }
    }
}

template <class T>
void dropout(const T* x, const ImageShape& shape, const DropoutKey& key, T* y) {
    const std::int64_t elements = shape.height * shape.width * shape.channels;
    const auto scale = static_cast<float>(1 / (1 - key.probability));
#pragma omp parallel for schedule(static)
    for (std::int64_t sample = 0; sample < shape.samples; ++sample)
        for (std::int64_t i = 0; i < elements; ++i) {
            const auto j = sample * elements + i;
            store(dropout_keeps(key, sample, i) ? load(x[j]) * scale : 0.0F, y[j]);
        }
}

#define NANOATLAS_INSTANTIATE(T)                                                                 \
    template void add(Addends, Activation, std::int64_t, T*);                                    \
    template void activation_backward(Addends, const T*, Activation, std::int64_t, T*);          \
    template void import_images(const float*, const ImageShape&, T*);                            \
    template void export_images(const T*, const ImageShape&, float*);                            \
    template void copy_channels(const T*, std::int64_t, std::int64_t, T*, std::int64_t,          \
                                std::int64_t, std::int64_t, std::int64_t);                       \
    template void adaptive_average(const T*, const ImageShape&, const ImageShape&, T*);          \
    template void adaptive_average_backward(const T*, const ImageShape&, const ImageShape&, T*); \
    template void dropout(const T*, const ImageShape&, const DropoutKey&, T*);

NANOATLAS_INSTANTIATE(float)
NANOATLAS_INSTANTIATE(BFloat16)

template void copy_channels(const std::int8_t*, std::int64_t, std::int64_t, std::int8_t*,
                            std::int64_t, std::int64_t, std::int64_t, std::int64_t);

}  // namespace nanoatlas::kernels::onednn
