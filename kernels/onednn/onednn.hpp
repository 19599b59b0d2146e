// The CNN back end on the CPU: convolutions and pooling of oneDNN 3, batch norm and the rest in
// our own OpenMP loops, all on images with channels innermost.
#pragma once

#include <memory>

#include "kernels/cnn.hpp"
#include "kernels/quantised.hpp"

namespace nanoatlas::kernels::onednn {

/// The processor multiplies bf16 (AVX512-BF16 or AMX).
bool has_bf16();

/// Activations and packed weights in that precision; sums, statistics, biases and the gradients of
/// weights in f32 or f64. throws std::runtime_error if bf16 is wanted where has_bf16() is false
std::unique_ptr<Backend> make_backend(Precision precision);

/// The processor multiplies 8-bit integers and adds the products in 32 bits at once (AVX512-VNNI,
/// AVX-VNNI). Elsewhere products are added in 16 bits first, so weights keep 7 bits.
bool has_vnni();

/// Any processor; faster than f32 where has_vnni().
std::unique_ptr<QuantisedBackend> make_quantised_backend();

}  // namespace nanoatlas::kernels::onednn
