// The slow, obviously right version of each CNN kernel: plain loops, sums in f64, T = float or
// double. Shapes, layouts and meanings are those of kernels/cnn.hpp.
#pragma once

#include <memory>

#include "kernels/cnn.hpp"
#include "kernels/reference/batch_norm.hpp"

namespace nanoatlas::kernels::reference {

template <class T>
using Tensors = std::span<const T* const>;

/// bias and addend may be null.
template <class T>
void convolution_forward(const ConvolutionShape& shape, const T* x, const T* weights, const T* bias,
                         const T* addend, T* y);
template <class T>
void convolution_backward_data(const ConvolutionShape& shape, const T* dy, const T* weights, T* dx);
/// dbias may be null.
template <class T>
void convolution_backward_weights(const ConvolutionShape& shape, const T* x, const T* dy,
                                  T* dweights, T* dbias);

template <class T>
void pool_forward(const PoolShape& shape, const T* x, T* y);
/// Of equal maxima the first takes the gradient.
template <class T>
void pool_backward(const PoolShape& shape, const T* x, const T* dy, T* dx);

template <class T>
void norm_sums(const T* x, std::int64_t rows, std::int64_t channels, double* sums);
template <class T>
void norm_forward(const T* x, const T* addend, std::int64_t rows, std::int64_t channels,
                  const NormCoefficients& coefficients, Activation activation, T* y);
template <class T>
void norm_backward_sums(Tensors<T> gradients, const T* y, const T* x, std::int64_t rows,
                        std::int64_t channels, const float* mean, Activation activation, T* g,
                        double* sums);
/// Of one gradient, where the activation of y = by(x) passes it on.
template <class T>
void norm_pass_on(const T* dy, const T* x, std::int64_t rows, std::int64_t channels,
                  const NormCoefficients& by, Activation activation, T* g);
template <class T>
void norm_backward_data(const T* g, const T* x, std::int64_t rows, std::int64_t channels,
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
void scale(const T* x, const T* addend, const ImageShape& shape, const Scale& scale, T* y);
template <class T>
void scale_backward(const T* dy, const T* x, const ImageShape& shape, const Scale& scale, T* dx,
                    float* dby_channel);

template <class T>
void add(Tensors<T> parts, Activation activation, std::int64_t elements, T* y);
template <class T>
void activation_backward(Tensors<T> gradients, const T* y, Activation activation,
                         std::int64_t elements, T* dx);
template <class T>
void adaptive_average(const T* x, const ImageShape& input, const ImageShape& output, T* y);
template <class T>
void adaptive_average_backward(const T* dy, const ImageShape& input, const ImageShape& output,
                               T* dx);
template <class T>
void dropout(const T* x, const ImageShape& shape, const DropoutKey& key, T* y);

/// All of them in f32 behind the interface of the fast ones.
std::unique_ptr<Backend> make_backend();

}  // namespace nanoatlas::kernels::reference
