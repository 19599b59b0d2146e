// Grey u8 images to normalised network input: crop, scale, orient, change tone, add noise.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace nanoatlas::kernels {

/// What one output image shows of its source, and how.
struct ImageView {
    float top = 0, left = 0, height = 0, width = 0;  ///< crop [pixels of the source]
    /// One of the 8 symmetries of the square: bit 2 transposes the output, then bit 0 mirrors its
    /// columns and bit 1 its rows.
    std::uint8_t orientation = 0;
    float gain = 1, offset = 0;  ///< of values in [0, 1]
    float noise = 0;             ///< standard deviation of values in [0, 1]
    std::uint64_t noise_key = 0;
};

struct InputFormat {
    int height = 0, width = 0;     ///< of each source image
    int size = 0;                  ///< side of the square output
    std::vector<float> mean, std;  ///< [channels]; output = (value - mean) / std
};

/// Noise of unit variance for output pixel i: the sum of four uniform numbers, so within 3.5.
/// A function of key and i.
constexpr float pixel_noise(std::uint64_t key, std::uint64_t i) {
    std::uint64_t z = key + (i + 1) * 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    z ^= z >> 31;
    const auto sum =
        static_cast<float>((z & 0xFFFF) + (z >> 16 & 0xFFFF) + (z >> 32 & 0xFFFF) + (z >> 48));
    return (sum * (1.0F / 65535.0F) - 2.0F) * 1.7320508F;
}

namespace reference {

/// images: [n] pointers to [height, width] u8. views: [n]. output: [n, channels, size, size].
///
/// Scaling takes a triangle filter over the source, one output pixel wide but at least one source
/// pixel: bilinear where it magnifies, antialiased where it shrinks; weights that fall outside
/// the image are left out. Tone: gain * value + offset + noise, cut to [0, 1].
void augment(std::span<const std::uint8_t* const> images, std::span<const ImageView> views,
             const InputFormat& format, std::span<float> output);

}  // namespace reference
}  // namespace nanoatlas::kernels
