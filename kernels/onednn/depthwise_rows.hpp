// Depthwise convolutions and their gradients over padded copies of a few channels: no border to
// look after, every load adjacent, sums in registers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/cnn.hpp"

namespace nanoatlas::kernels::onednn {

/// Windows of up to 7 columns and any number of rows, not smaller than their strides, which are 1
/// or 2; dilation 1.
bool suits_depthwise_rows(const ConvolutionShape& shape);

/// y = x correlated with weights [height, width, channels] + bias [channels] (empty: 0).
template <class T>
void correlate_depthwise(const ConvolutionShape& shape, const T* x, std::span<const float> weights,
                         std::span<const float> bias, T* y);

/// dx from dy and the same weights.
template <class T>
void spread_depthwise(const ConvolutionShape& shape, const T* dy, std::span<const float> weights,
                      T* dx);

/// Gradients [height * width + 1, channels] of the weights and, behind them, of the bias.
template <class T>
std::vector<float> sum_depthwise_gradients(const ConvolutionShape& shape, const T* x, const T* dy);

}  // namespace nanoatlas::kernels::onednn
