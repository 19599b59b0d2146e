// Scaling with an antialiasing filter.
#pragma once

#include <cstdint>
#include <vector>

#include "image/prepare.hpp"

namespace nanoatlas::image {

struct Scaled {
    std::vector<std::uint8_t> pixels;  ///< [size, size]
    std::array<float, 2> scale{1, 1};  ///< original pixels per pixel: rows, columns
};

/// Rows [first, end) of the image fitted into a square of size pixels, with the tone applied first.
/// The filter is a triangle, one pixel of the coarser grid wide on each side, the one that
/// networks' weights were trained with (Pillow's BILINEAR). Padding gets the mean grey.
Scaled scale_to_square(const GreyImage& image, int first, int end, const Tone& tone, Fit fit,
                       int size);

/// Shrinks or enlarges [height, width] 8-bit values in the same way.
std::vector<float> resample(const std::vector<std::uint8_t>& pixels, int height, int width,
                            int out_height, int out_width);

}  // namespace nanoatlas::image
