// A synthetic micrograph as a function of (seed, index): the same pixels on any rank and thread.
#pragma once

#include <cstdint>
#include <vector>

#include "synth/microscope.hpp"

namespace nanoatlas::synth {

struct Micrograph {
    Grid grey;          ///< [size, size], 0 black to 1 white
    int label;          ///< row of synth::categories
    double pixel_size;  ///< [m]
    Settings settings;  ///< of the microscope

    int size() const { return grey.width(); }
    double field_width() const { return pixel_size * grey.width(); }
};

/// Category of image `index`: they take turns, so any range of indices is balanced.
int label_of(std::int64_t index);

/// Draws image `index` of a synthesis. size in 16..16384 [px]; the same index shows the same kind
/// of scene at any size, over the same field of view.
Micrograph draw(std::uint64_t seed, std::int64_t index, int size);

/// Grey values rounded to 8 bit, [size, size].
std::vector<std::uint8_t> to_8_bit(const Micrograph& micrograph);

}  // namespace nanoatlas::synth
