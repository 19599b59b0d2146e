// A small physical model of a scanning electron microscope: from a specimen to the picture that an
// operator would save.
//
// Signal: secondary electrons leave more readily where the surface is steep (about 1 / cos of the
// angle of incidence; Reimer, Scanning Electron Microscopy, 2nd ed. 1998, ch. 4), at edges within
// the escape range, and towards the detector; less from pits. Backscattered electrons show mainly
// the material. Then the column: beam width and astigmatism, drift, charging along the scan; and
// the chain behind it: shot noise of the electrons counted, contrast, brightness and gamma.
#pragma once

#include <string>

#include "base/random.hpp"
#include "synth/specimen.hpp"

namespace nanoatlas::synth {

enum class Detector { secondary, in_lens, backscatter };

/// What the operator chose, and what the instrument's state adds.
struct Settings {
    Detector detector = Detector::secondary;
    double voltage = 5e3;                ///< of the beam [V]
    double working_distance = 8e-3;      ///< [m]
    float azimuth = 0;                   ///< from where the detector collects, in the picture [rad]
    float beam_x = 0.8F, beam_y = 0.8F;  ///< standard deviation of the beam [px]
    float electrons = 200;               ///< counted in a pixel of mean brightness
    float line_noise = 0;      ///< standard deviation of a line's offset, share of the signal
    float drift = 0;           ///< of the stage over a frame [px]
    float charging = 0;        ///< strength of streaks along the scan, 0 to 1
    float brightness = 0.45F;  ///< grey halfway between the darkest and brightest 1 %, 0 to 1
    float contrast = 0.7F;     ///< grey between them
    float gamma = 1;
};

/// Settings as operators choose them for this specimen.
Settings choose_settings(base::Random& random, const Specimen& specimen);

/// The electrons that reach the detector from each pixel, without noise; any scale.
Grid detected_signal(const Specimen& specimen, const Settings& settings);

/// Grey values, 0 to 1.
Grid expose(const Specimen& specimen, const Settings& settings, base::Random& random);

}  // namespace nanoatlas::synth
