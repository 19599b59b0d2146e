// Depthwise convolutions with stride 1 over padded copies of a register's channels: no border to
// look after, every load adjacent, sums in registers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/cnn.hpp"

namespace nanoatlas::kernels::onednn {

/// Windows of 3, 5 or 7 columns and any number of rows, stride and dilation 1.
bool suits_depthwise_rows(const ConvolutionShape& shape);

/// An image of `input`'s shape is correlated with a window, channel by channel, onto `output`.
struct DepthwiseShape {
    ImageShape input, output;
    std::int64_t height, width;  ///< of the window
    std::int64_t top, left;      ///< zeros before the image

    /// y from x.
    static DepthwiseShape forward(const ConvolutionShape& shape);
    /// dx from dy, with the window turned by 180 degrees.
    static DepthwiseShape backward(const ConvolutionShape& shape);
};

/// y = x correlated with weights [height, width, channels] + bias [channels] (empty: 0).
template <class T>
void correlate_depthwise(const DepthwiseShape& shape, const T* x, std::span<const float> weights,
                         std::span<const float> bias, T* y);

/// Gradients [height * width + 1, channels] of the weights and, behind them, of the bias.
/// shape  the forward one
template <class T>
std::vector<float> sum_depthwise_gradients(const DepthwiseShape& shape, const T* x, const T* dy);

}  // namespace nanoatlas::kernels::onednn
