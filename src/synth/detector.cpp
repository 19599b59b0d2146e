#include <algorithm>
#include <cmath>

#include "synth/filters.hpp"
#include "synth/microscope.hpp"

namespace nanoatlas::synth {
namespace {

// How much each mechanism of contrast counts in the signal of a detector.
struct Response {
    float topography;  // rise of the yield with 1 / cos
    float saturation;  // where that rise levels off
    float towards;     // difference between faces towards the detector and away from it
    float edge;        // brightening within the escape range of edges
    float pit;         // loss from below the surroundings
    float material;    // exponent of the material's yield
};

Response response_of(Detector detector) {
    switch (detector) {
        case Detector::in_lens:
            return {0.9F, 2.2F, 0.08F, 1.3F, 0.9F, 1.1F};
        case Detector::backscatter:
            return {0.15F, 1.0F, 0.40F, 0.15F, 0.25F, 1.8F};
        case Detector::secondary:
            break;
    }
    return {0.8F, 2.5F, 0.38F, 0.9F, 1.1F, 1.0F};
}

void raise_to(Grid& grid, float exponent) {
    if (exponent == 1) return;
    for (float& value : grid.values()) value = std::pow(value, exponent);
}

// Ranges of the two local contrasts [px]: the escape range of the electrons, and the width over
// which surroundings shade a pit.
struct Ranges {
    float escape, shade;
};

// A row of heights with its neighbours; `here` can be read one pixel beyond either end.
struct Rows {
    const float *above, *here, *below, *near, *wide;
};

void detect_row(const Rows& h, int width, float specimen_tilt, const Settings& settings,
                const Ranges& ranges, float* signal) {
    const auto response = response_of(settings.detector);
    const float tilt = std::tan(specimen_tilt), flat = 1 / std::sqrt(1 + tilt * tilt);
    const float dx = std::cos(settings.azimuth), dy = std::sin(settings.azimuth);
    const float per_escape = 1 / ranges.escape, per_shade = response.pit / ranges.shade;
    const float per_saturation = 1 / response.saturation;
    for (int x = 0; x < width; ++x) {
        const float gx = (h.here[x + 1] - h.here[x - 1]) / 2;
        const float rise = (h.below[x] - h.above[x]) / 2, gy = rise - tilt;
        const float secant = std::sqrt(1 + gx * gx + gy * gy);
        const float steep = std::max(secant * flat - 1, -0.5F);
        const float topography =
            1 + response.topography * steep / (1 + std::max(steep, 0.0F) * per_saturation);
        const float facing = 1 - response.towards * (gx * dx + rise * dy) / secant;
        const float over = (h.here[x] - h.near[x]) * per_escape;
        const float edge = 1 + response.edge * std::min(std::max(over, -0.4F), 0.8F);
        const float pit = 1 + per_shade * std::max(0.0F, h.wide[x] - h.here[x]);
        signal[x] *= topography * facing * edge / pit;
    }
}

}  // namespace

Grid detected_signal(const Specimen& specimen, const Settings& settings) {
    const Grid& height = specimen.height;
    const int size = specimen.size();
    // Some tens of nanometres of escape range, kept to what a picture can show.
    const float finest = specimen.side() / 512;
    const Ranges ranges{std::clamp(specimen.pixels(30e-9), 1.2F * finest, 5 * finest) + 0.6F,
                        specimen.side() / 24};
    const Grid near = blur(height, ranges.escape), wide = blur(height, ranges.shade);
    Grid signal = specimen.yield;
    raise_to(signal, response_of(settings.detector).material);
    std::vector<float> padded(static_cast<std::size_t>(size) + 2);
    for (int y = 0; y < size; ++y) {
        std::copy_n(height.row(y), size, padded.data() + 1);
        padded.front() = padded[1], padded.back() = height(size - 1, y);
        const Rows rows{height.row(std::max(y - 1, 0)), padded.data() + 1,
                        height.row(std::min(y + 1, size - 1)), near.row(y), wide.row(y)};
        detect_row(rows, size, specimen.tilt, settings, ranges, signal.row(y));
    }
    return signal;
}

}  // namespace nanoatlas::synth
