// Input made of u8 pictures on the GPU, of the per-pixel arithmetic of kernels/augment_pixel.hpp.
#pragma once

#include <cuda_bf16.h>
#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/augment_pixel.hpp"

namespace nanoatlas::kernels::cudnn {

/// Sizes, which stay; and what a batch writes anew, all on the device.
struct PictureTask {
    int height, width, size, channels;
    int taps_y, taps_x;
    std::int64_t most_pictures;
    const float *mean = nullptr, *deviation = nullptr;  ///< [channels]

    const std::int64_t* count = nullptr;          ///< one: pictures of the batch
    const std::uint8_t* const* pixels = nullptr;  ///< [pictures]
    const ImageView* views = nullptr;             ///< [pictures]
    const std::int64_t* others = nullptr;         ///< [samples]
    const float* shares = nullptr;                ///< [samples]

    int *first_y = nullptr, *first_x = nullptr;        ///< [pictures, size]
    float *weights_y = nullptr, *weights_x = nullptr;  ///< [pictures, size, taps]
    float* tones = nullptr;                            ///< [pictures, size, size], in [0, 1]
};

/// The widest source whose rows fit a block's shared memory.
constexpr int widest_picture = 12000;

/// Tones of the batch's pictures.
void augment(const PictureTask& task, cudaStream_t stream);
/// Tones mixed, normalised: input [samples, size, size, channels].
template <class T>
void mix_pictures(const PictureTask& task, std::int64_t samples, T* to, cudaStream_t stream);

}  // namespace nanoatlas::kernels::cudnn
