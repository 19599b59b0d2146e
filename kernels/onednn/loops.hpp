// Our own loops over images: norms, sums, activations, scales, copies, averages. One thread a
// contiguous part of the rows; within a row the compiler's SIMD. Meanings are those of
// kernels/cnn.hpp, T = float or BFloat16; copies and averages of 8-bit
// integers, too.
#pragma once

#include <cstdint>

#include "kernels/cnn.hpp"
#include "kernels/onednn/element.hpp"
#include "kernels/reference/batch_norm.hpp"

namespace nanoatlas::kernels::onednn {

using reference::NormCoefficients;
using reference::NormGradientCoefficients;

template <class T>
void norm_sums(const T* x, std::int64_t rows, std::int64_t channels, double* sums);
template <class T>
void norm_forward(const T* x, const T* addend, std::int64_t rows, std::int64_t channels,
                  const NormCoefficients& coefficients, Activation activation, T* y);
template <class T>
void norm_backward_sums(Addends gradients, const T* y, const T* x, std::int64_t rows,
                        std::int64_t channels, const float* mean, Activation activation, T* g,
                        double* sums);
template <class T>
void norm_backward_data(const T* g, const T* x, std::int64_t rows, std::int64_t channels,
                        const NormGradientCoefficients& coefficients, T* dx);
template <class T>
void norm_backward_sums(const T* dy, const T* x, std::int64_t rows, std::int64_t channels,
                        const NormCoefficients& by, Activation activation, double* sums);
template <class T>
void norm_backward_data(const T* dy, const T* x, std::int64_t rows, std::int64_t channels,
                        const NormCoefficients& by, Activation activation,
                        const NormGradientCoefficients& coefficients, T* dx);

template <class T>
void layer_norm(const T* x, std::int64_t rows, std::int64_t channels,
                const LayerNormCoefficients& coefficients, T* y);
template <class T>
void layer_norm_backward(const T* dy, const T* x, std::int64_t rows, std::int64_t channels,
                         const LayerNormCoefficients& coefficients, T* dx, float* dweight,
                         float* dbias);
template <class T>
void gelu(const T* x, std::int64_t elements, T* y);
template <class T>
void gelu_backward(const T* dy, const T* x, std::int64_t elements, T* dx);
template <class T>
void scale(const T* x, const T* addend, const ImageShape& shape, const Scale& by, T* y);
template <class T>
void scale_backward(const T* dy, const T* x, const ImageShape& shape, const Scale& by, T* dx,
                    float* dby_channel);

template <class T>
void add(Addends parts, Activation activation, std::int64_t elements, T* y);
template <class T>
void activation_backward(Addends gradients, const T* y, Activation activation,
                         std::int64_t elements, T* dx);

template <class T>
void import_images(const float* from, const ImageShape& shape, T* to);
template <class T>
void export_images(const T* from, const ImageShape& shape, float* to);
template <class T>
void copy_channels(const T* from, std::int64_t from_channels, std::int64_t from_first, T* to,
                   std::int64_t to_channels, std::int64_t to_first, std::int64_t channels,
                   std::int64_t rows);
template <class T>
void adaptive_average(const T* x, const ImageShape& input, const ImageShape& output, T* y);
template <class T>
void adaptive_average_backward(const T* dy, const ImageShape& input, const ImageShape& output,
                               T* dx);
template <class T>
void dropout(const T* x, const ImageShape& shape, const DropoutKey& key, T* y);

}  // namespace nanoatlas::kernels::onednn
