// The fast form of kernels/reference/augment.hpp, on all threads of the rank.
#pragma once

#include "kernels/reference/augment.hpp"

namespace nanoatlas::kernels::kokkos {

/// As reference::augment, to 1e-5 of values in [0, 1]. An image's output depends on its own view
/// alone, to the bit, never on its neighbours in the batch or the number of threads.
/// Needs a live kokkos::Runtime.
void augment(std::span<const std::uint8_t* const> images, std::span<const ImageView> views,
             const InputFormat& format, std::span<float> output);

}  // namespace nanoatlas::kernels::kokkos
