// The obviously right version of the kernels on 8-bit integers: plain loops, sums in 64 bits.
// Shapes, formats and meanings are those of kernels/quantised.hpp.
#pragma once

#include "kernels/quantised.hpp"

namespace nanoatlas::kernels::reference {

/// bias and addend may be null.
void quantised_convolution(const QuantisedConvolutionShape& shape, const void* x,
                           const QuantisedWeights& weights, const float* bias, const float* addend,
                           void* y);
void quantised_pool(const PoolShape& shape, Element element, const void* x, void* y);
void rescale(const void* x, std::int64_t rows, std::int64_t channels, const Rescaling& how,
             void* y);

/// What an element of an image stands for.
double read_element(const void* image, std::size_t i, const Format& format);
/// Rounds to the nearest element, ties to even; to the ends of the range what lies behind them.
void write_element(double value, const Format& format, void* image, std::size_t i);

}  // namespace nanoatlas::kernels::reference
