// The arithmetic of augmentation for one pixel, of which the CPU's and the GPU's kernels are made.
// Scaling goes along one axis after the other: first the height, then the width.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/reference/augment.hpp"

namespace nanoatlas::kernels {

/// The filter of an output pixel along an axis [pixels of the source].
struct AxisFilter {
    double centre, support;
    int extent;  ///< of the source

    /// Output i of an axis whose crop begins at `start` and is `scale` pixels an output.
    constexpr AxisFilter(int i, double start, double scale, int source_extent)
        : centre(start + (i + 0.5) * scale),
          support(scale > 1 ? scale : 1),
          extent(source_extent) {}

    /// The first pixel that may have a weight.
    constexpr int begin() const {
        return std::clamp(static_cast<int>(centre - support), 0, extent - 1);
    }
    /// Before all weights of the output are scaled to the sum 1.
    constexpr double weight(int pixel) const {
        const double distance = pixel + 0.5 - centre;
        const double weight = 1 - (distance < 0 ? -distance : distance) / support;
        return pixel < extent && weight > 0 ? weight : 0.0;
    }
};

/// Pixels that may have a weight for an output of an axis of `size` outputs that show `length`
/// pixels of the source's `extent`.
constexpr int most_taps(double length, int size, int extent) {
    const double support = length > size ? length / size : 1;
    const int whole = static_cast<int>(support);
    return std::min(extent, 2 * (whole < support ? whole + 1 : whole) + 2);
}

/// Where the view's orientation puts pixel (y, x) of the scaled crop, in an output of size * size.
constexpr int oriented(const ImageView& view, int y, int x, int size) {
    int row = (view.orientation & 4) != 0 ? x : y;
    int column = (view.orientation & 4) != 0 ? y : x;
    if ((view.orientation & 2) != 0) row = size - 1 - row;
    if ((view.orientation & 1) != 0) column = size - 1 - column;
    return row * size + column;
}

/// The tone in [0, 1] of a value in [0, 255] at that place of the output.
constexpr float toned(const ImageView& view, float value, int place) {
    value = view.gain * (value / 255) + view.offset;
    if (view.noise != 0)
        value += view.noise * pixel_noise(view.noise_key, static_cast<std::uint64_t>(place));
    return std::clamp(value, 0.0F, 1.0F);
}

constexpr float normalised(float value, float mean, float deviation) {
    return (value - mean) / deviation;
}

/// Of two pictures, the first one's part being `share`.
constexpr float mixed(float own, float other, float share) {
    return share * own + (1 - share) * other;
}

}  // namespace nanoatlas::kernels
