// Random shapes and values for tests of the CNN kernels.
#pragma once

#include <vector>

#include "base/random.hpp"
#include "kernels/cnn.hpp"
#include "tests/shrunk.hpp"

namespace nanoatlas::testing {

/// In [low, high].
inline std::int64_t draw(base::Random& random, std::int64_t low, std::int64_t high) {
    return low +
           static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(high - low + 1)));
}

/// Multiples of 1/64 in [-1, 1]: bf16 holds them exactly.
inline std::vector<float> draw_values(base::Random& random, std::int64_t count) {
    std::vector<float> values(static_cast<std::size_t>(count));
    for (auto& value : values) value = static_cast<float>(draw(random, -64, 64)) / 64;
    return values;
}

inline kernels::Window draw_window(base::Random& random, std::int64_t dilation) {
    kernels::Window window;
    window.height = draw(random, 1, 4);
    window.width = draw(random, 1, 4);
    window.stride_y = draw(random, 1, 3);
    window.stride_x = draw(random, 1, 3);
    window.dilation_y = draw(random, 1, dilation);
    window.dilation_x = draw(random, 1, dilation);
    window.top = draw(random, 0, window.height - 1);
    window.left = draw(random, 0, window.width - 1);
    window.bottom = draw(random, 0, window.height - 1);
    window.right = draw(random, 0, window.width - 1);
    return window;
}

inline kernels::ImageShape output_of(const kernels::ImageShape& input,
                                     const kernels::Window& window, std::int64_t channels) {
    const auto extent = [](std::int64_t size, std::int64_t kernel, std::int64_t dilation,
                           std::int64_t padding, std::int64_t stride) {
        return (size + padding - dilation * (kernel - 1) - 1) / stride + 1;
    };
    return {input.samples,
            extent(input.height, window.height, window.dilation_y, window.top + window.bottom,
                   window.stride_y),
            extent(input.width, window.width, window.dilation_x, window.left + window.right,
                   window.stride_x),
            channels};
}

/// Grouped, depthwise and linear ones among them.
inline kernels::ConvolutionShape draw_convolution(base::Random& random,
                                                  std::int64_t most_channels) {
    kernels::ConvolutionShape shape{
        .input = {draw(random, 1, 3), draw(random, 7, 12), draw(random, 7, 12), 0},
        .output = {},
        .window = draw_window(random, 2)};
    const auto kind = draw(random, 0, 3);
    const auto channels = draw(random, 1, most_channels);
    shape.groups = kind == 0 ? channels : kind == 1 ? 2 : 1;
    shape.input.channels = kind == 1 ? 2 * channels : channels;
    auto outputs = kind == 0 ? channels : draw(random, 1, most_channels);
    if (kind == 1) outputs *= 2;
    if (kind == 3) {
        shape.window = {};
        shape.window.height = shape.input.height;
        shape.window.width = shape.input.width;
    }
    shape.output = output_of(shape.input, shape.window, outputs);
    shape.bias = random.chance(0.5);
    shape.training = shape.data_gradient = true;
    return shape;
}

/// Square windows of 3, 5 or 7 pixels with stride 1 or 2, as networks have them; some on images
/// that are worked on in several parts.
inline kernels::ConvolutionShape draw_depthwise(base::Random& random) {
    const std::int64_t side = 3 + 2 * draw(random, 0, 2), stride = draw(random, 1, 2);
    const bool large = random.chance(0.3);
    const auto channels = draw(random, 1, large ? 150 : 40);
    kernels::ConvolutionShape shape{
        .input = {draw(random, 1, 3), draw(random, 7, large ? 70 : 19), draw(random, 7, 19),
                  channels},
        .output = {},
        .window = {side, side, stride, stride, draw(random, 0, side - 1), draw(random, 0, side - 1),
                   draw(random, 0, side - 1), draw(random, 0, side - 1)},
        .groups = channels};
    shape.output = output_of(shape.input, shape.window, channels);
    shape.bias = random.chance(0.5);
    shape.training = shape.data_gradient = true;
    return shape;
}

inline std::int64_t weight_count(const kernels::ConvolutionShape& shape) {
    return shape.output.channels * (shape.input.channels / shape.groups) * shape.window.height *
           shape.window.width;
}

inline kernels::PoolShape draw_pool(base::Random& random, std::int64_t most_channels) {
    kernels::PoolShape shape{.input = {draw(random, 1, 3), draw(random, 4, 12), draw(random, 4, 12),
                                       draw(random, 1, most_channels)},
                             .output = {},
                             .window = draw_window(random, 1)};
    shape.output = output_of(shape.input, shape.window, shape.input.channels);
    shape.kind = random.chance(0.5) ? kernels::PoolKind::max : kernels::PoolKind::average;
    shape.training = true;
    return shape;
}

inline kernels::Activation draw_activation(base::Random& random) {
    return static_cast<kernels::Activation>(draw(random, 0, 2));
}

}  // namespace nanoatlas::testing
