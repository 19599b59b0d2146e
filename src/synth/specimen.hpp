// What lies under the beam: heights, materials and the scale of the field of view.
#pragma once

#include "base/random.hpp"
#include "synth/grid.hpp"

namespace nanoatlas::synth {

struct Specimen {
    Grid height;         ///< above the substrate's plane [px]
    Grid yield;          ///< of secondary electrons at normal incidence, silicon = 1
    double pixel_size;   ///< [m]
    float tilt = 0;      ///< of the substrate about the horizontal axis [rad]
    float charging = 0;  ///< 0: conductor, 1: an insulator without coating

    Specimen(int size, double field_width)
        : height(size, size), yield(size, size, 1), pixel_size(field_width / size) {}

    int size() const { return height.width(); }
    float side() const { return static_cast<float>(height.width()); }
    /// Length on the specimen [m] in pixels.
    float pixels(double length) const { return static_cast<float>(length / pixel_size); }
};

/// Width of a print at which a magnification is quoted (Zeiss: "Polaroid 545", 114.3 mm) [m].
inline constexpr double print_width = 0.1143;

/// Width of the field of view [m] in which `feature` [m] covers between share_low and share_high
/// of the width, at a magnification that an operator would dial.
double choose_field(base::Random& random, double feature, double share_low, double share_high);

}  // namespace nanoatlas::synth
