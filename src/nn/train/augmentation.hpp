// Which change each training image gets: a function of (seed, number, row), so it depends neither
// on ranks nor on threads.
#pragma once

#include <cstdint>

#include "kernels/reference/augment.hpp"

namespace nanoatlas::nn {

/// Ranges to draw from. The defaults suit micrographs: no direction is up, detectors differ in gain
/// and contrast, and scans in noise.
struct AugmentationSettings {
    /// One of the 8 flips and rotations is drawn, or of the first 2: as it is, mirrored left to
    /// right.
    int orientations = 8;
    double smallest_crop = 0.7;  ///< side of the crop, share of the image's, at least
    double gain = 0.2;           ///< factor in [1 - gain, 1 + gain]
    double offset = 0.1;         ///< added, in [-offset, offset] of the full range
    double noise = 0.03;         ///< standard deviation at most, of the full range
};

/// A row of the corpus in one of its many augmentations, by number.
struct Variation {
    std::int64_t row, number;
};

/// The whole image, unchanged.
kernels::ImageView whole_view(int height, int width);

kernels::ImageView random_view(const AugmentationSettings& settings, int height, int width,
                               std::uint64_t seed, const Variation& variation);

}  // namespace nanoatlas::nn
