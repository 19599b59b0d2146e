#include "kernels/onednn/depthwise_rows.hpp"

#include <omp.h>

#include <algorithm>
#include <cstring>

#include "kernels/onednn/element.hpp"
#include "kernels/onednn/register_tile.hpp"

namespace nanoatlas::kernels::onednn {
namespace {

/// Output pixels whose sums are held at once.
constexpr int held_pixels = tile_lanes == 16 ? 16 : 8;

TileLanes load_register(const float* from) {
    TileLanes lanes;
    std::memcpy(&lanes, from, sizeof lanes);
    return lanes;
}

/// tile_lanes channels of one sample with zeros round it: [rows, columns, tile_lanes] f32.
class PaddedImage {
  public:
    PaddedImage(std::int64_t rows, std::int64_t columns)
        : rows_(rows),
          columns_(columns),
          values_(static_cast<std::size_t>(rows * columns * tile_lanes)) {}

    const float* at(std::int64_t row, std::int64_t column) const {
        return values_.data() + (row * columns_ + column) * tile_lanes;
    }
    /// image  the sample's first pixel at these channels; what lies outside stays 0
    template <class T>
    void copy(const T* image, const ImageShape& shape, std::int64_t channels, std::int64_t top,
              std::int64_t left) {
        const auto first = std::max<std::int64_t>(0, -left);
        const auto last = std::min(shape.width, columns_ - left);
        for (auto row = std::max<std::int64_t>(0, -top); row < std::min(shape.height, rows_ - top);
             ++row)
            for (auto column = first; column < last; ++column) {
                const T* from = image + (row * shape.width + column) * shape.channels;
                float* to = values_.data() + ((row + top) * columns_ + column + left) * tile_lanes;
                if (channels == tile_lanes)
                    for (std::int64_t c = 0; c < tile_lanes; ++c) to[c] = load(from[c]);
                else
                    for (std::int64_t c = 0; c < channels; ++c) to[c] = load(from[c]);
            }
    }

  private:
    std::int64_t rows_, columns_;
    std::vector<float> values_;
};

/// The samples' channels in registers, as work for the threads.
struct Blocks {
    const ImageShape& image;
    std::int64_t a_sample() const { return (image.channels + tile_lanes - 1) / tile_lanes; }
    std::int64_t count() const { return image.samples * a_sample(); }
    std::int64_t sample(std::int64_t i) const { return i / a_sample(); }
    std::int64_t channel(std::int64_t i) const { return i % a_sample() * tile_lanes; }
    std::int64_t channels(std::int64_t i) const {
        return std::min<std::int64_t>(tile_lanes, image.channels - channel(i));
    }
};

template <class T>
T* pixels_of(T* images, const ImageShape& shape, std::int64_t sample, std::int64_t channel) {
    return images + sample * shape.height * shape.width * shape.channels + channel;
}

/// [height, width, tile_lanes] of a block's channels.
std::vector<float> block_weights(const DepthwiseShape& shape, std::span<const float> weights,
                                 std::int64_t channel, std::int64_t channels) {
    const auto taps = shape.height * shape.width;
    std::vector<float> block(static_cast<std::size_t>(taps * tile_lanes), 0.0F);
    for (std::int64_t tap = 0; tap < taps; ++tap)
        std::copy_n(weights.begin() + tap * shape.input.channels + channel, channels,
                    block.begin() + tap * tile_lanes);
    return block;
}

/// One run of held_pixels output pixels; x: where the window of the first one begins.
template <int width>
__attribute__((noinline)) void correlate_run(const float* x, std::int64_t row_step,
                                             std::int64_t height, const float* weights,
                                             TileLanes bias, TileLanes* sums) {
    TileLanes held[held_pixels];
    for (auto& each : held) each = bias;
    for (std::int64_t row = 0; row < height; ++row, x += row_step)
#pragma GCC unroll 7
        for (int tap = 0; tap < width; ++tap, weights += tile_lanes) {
            const auto weight = load_register(weights);
#pragma GCC unroll 16
            for (int i = 0; i < held_pixels; ++i)
                held[i] += load_register(x + (i + tap) * tile_lanes) * weight;
        }
    for (int i = 0; i < held_pixels; ++i) sums[i] = held[i];
}

template <int width, class T>
void correlate(const DepthwiseShape& shape, const T* x, std::span<const float> weights,
               std::span<const float> bias, T* y) {
    const auto& out = shape.output;
    const Blocks blocks{shape.input};
    const auto columns = (out.width + held_pixels - 1) / held_pixels * held_pixels;
#pragma omp parallel
    {
        PaddedImage padded(out.height + shape.height - 1, columns + width - 1);
#pragma omp for schedule(static)
        for (std::int64_t block = 0; block < blocks.count(); ++block) {
            const auto sample = blocks.sample(block), channel = blocks.channel(block);
            const auto channels = blocks.channels(block);
            padded.copy(pixels_of(x, shape.input, sample, channel), shape.input, channels,
                        shape.top, shape.left);
            const auto window = block_weights(shape, weights, channel, channels);
            float shift[tile_lanes] = {};
            if (!bias.empty()) std::copy_n(bias.begin() + channel, channels, shift);
            T* to = pixels_of(y, out, sample, channel);
            for (std::int64_t row = 0; row < out.height; ++row)
                for (std::int64_t first = 0; first < out.width; first += held_pixels) {
                    TileLanes sums[held_pixels];
                    correlate_run<width>(padded.at(row, first), (columns + width - 1) * tile_lanes,
                                         shape.height, window.data(), load_register(shift), sums);
                    const auto last = std::min(first + held_pixels, out.width);
                    for (auto column = first; column < last; ++column) {
                        T* pixel = to + (row * out.width + column) * out.channels;
                        for (std::int64_t c = 0; c < channels; ++c)
                            store(sums[column - first][c], pixel[c]);
                    }
                }
        }
    }
}

/// The gradients of one row of the window from one row of pixels.
template <int width>
__attribute__((noinline)) void add_row_gradients(const float* x, const float* dy,
                                                 std::int64_t pixels, float* sums) {
    TileLanes held[width];
    for (int tap = 0; tap < width; ++tap) held[tap] = load_register(sums + tap * tile_lanes);
    for (std::int64_t i = 0; i < pixels; ++i, x += tile_lanes, dy += tile_lanes) {
        const auto gradient = load_register(dy);
#pragma GCC unroll 7
        for (int tap = 0; tap < width; ++tap)
            held[tap] += load_register(x + tap * tile_lanes) * gradient;
    }
    for (int tap = 0; tap < width; ++tap)
        std::memcpy(sums + tap * tile_lanes, &held[tap], sizeof held[tap]);
}

template <int width, class T>
std::vector<float> sum_gradients(const DepthwiseShape& shape, const T* x, const T* dy) {
    const auto& out = shape.output;
    const Blocks blocks{shape.input};
    const auto taps = shape.height * width, lanes = blocks.a_sample() * tile_lanes;
    const auto size = static_cast<std::size_t>((taps + 1) * lanes);
    // [block of channels][taps, bias][tile_lanes] of each thread
    std::vector<std::vector<float>> partial(static_cast<std::size_t>(omp_get_max_threads()));
#pragma omp parallel
    {
        auto& own = partial[static_cast<std::size_t>(omp_get_thread_num())];
        own.assign(size, 0.0F);
        PaddedImage padded(out.height + shape.height - 1, out.width + width - 1);
        PaddedImage gradients(out.height, out.width);
#pragma omp for schedule(static)
        for (std::int64_t block = 0; block < blocks.count(); ++block) {
            const auto sample = blocks.sample(block), channel = blocks.channel(block);
            const auto channels = blocks.channels(block);
            padded.copy(pixels_of(x, shape.input, sample, channel), shape.input, channels,
                        shape.top, shape.left);
            gradients.copy(pixels_of(dy, out, sample, channel), out, channels, 0, 0);
            float* sums = own.data() + channel * (taps + 1);
            for (std::int64_t tap_row = 0; tap_row < shape.height; ++tap_row)
                for (std::int64_t row = 0; row < out.height; ++row)
                    add_row_gradients<width>(padded.at(row + tap_row, 0), gradients.at(row, 0),
                                             out.width, sums + tap_row * width * tile_lanes);
            float* bias = sums + taps * tile_lanes;
            for (std::int64_t pixel = 0; pixel < out.height * out.width; ++pixel)
                for (std::int64_t c = 0; c < tile_lanes; ++c) bias[c] += gradients.at(0, pixel)[c];
        }
    }
    for (std::size_t thread = 1; thread < partial.size(); ++thread)
        for (std::size_t i = 0; i < partial[thread].size(); ++i)
            partial[0][i] += partial[thread][i];
    std::vector<float> found(static_cast<std::size_t>((taps + 1) * shape.input.channels));
    for (std::int64_t tap = 0; tap <= taps; ++tap)
        for (std::int64_t c = 0; c < shape.input.channels; ++c)
            found[static_cast<std::size_t>(tap * shape.input.channels + c)] =
                partial[0][static_cast<std::size_t>(c / tile_lanes * tile_lanes * (taps + 1) +
                                                    tap * tile_lanes + c % tile_lanes)];
    return found;
}

}  // namespace

bool suits_depthwise_rows(const ConvolutionShape& shape) {
    const auto& w = shape.window;
    return (w.width == 3 || w.width == 5 || w.width == 7) && w.stride_y == 1 && w.stride_x == 1 &&
           w.dilation_y == 1 && w.dilation_x == 1;
}

DepthwiseShape DepthwiseShape::forward(const ConvolutionShape& shape) {
    const auto& w = shape.window;
    return {shape.input, shape.output, w.height, w.width, w.top, w.left};
}

DepthwiseShape DepthwiseShape::backward(const ConvolutionShape& shape) {
    const auto& w = shape.window;
    return {shape.output, shape.input,          w.height,
            w.width,      w.height - 1 - w.top, w.width - 1 - w.left};
}

template <class T>
void correlate_depthwise(const DepthwiseShape& shape, const T* x, std::span<const float> weights,
                         std::span<const float> bias, T* y) {
    if (shape.width == 3) return correlate<3>(shape, x, weights, bias, y);
    if (shape.width == 5) return correlate<5>(shape, x, weights, bias, y);
    correlate<7>(shape, x, weights, bias, y);
}

template <class T>
std::vector<float> sum_depthwise_gradients(const DepthwiseShape& shape, const T* x, const T* dy) {
    if (shape.width == 3) return sum_gradients<3>(shape, x, dy);
    if (shape.width == 5) return sum_gradients<5>(shape, x, dy);
    return sum_gradients<7>(shape, x, dy);
}

#define NANOATLAS_INSTANTIATE(T)                                                               \
    template void correlate_depthwise(const DepthwiseShape&, const T*, std::span<const float>, \
                                      std::span<const float>, T*);                             \
    template std::vector<float> sum_depthwise_gradients(const DepthwiseShape&, const T*, const T*);

NANOATLAS_INSTANTIATE(float)
NANOATLAS_INSTANTIATE(BFloat16)

}  // namespace nanoatlas::kernels::onednn
