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

struct RowOf {
    const float *above, *here, *below, *near, *wide;
};

void detect_row(const RowOf& h, int width, const Specimen& specimen, const Settings& settings,
                const Ranges& ranges, float* signal) {
    const auto response = response_of(settings.detector);
    const float tilt = std::tan(specimen.tilt), flat = std::sqrt(1 + tilt * tilt);
    const float dx = std::cos(settings.azimuth), dy = std::sin(settings.azimuth);
    for (int x = 0; x < width; ++x) {
        const int left = x > 0 ? x - 1 : 0, right = x + 1 < width ? x + 1 : x;
        const float gx = (h.here[right] - h.here[left]) / 2;
        const float gy = (h.below[x] - h.above[x]) / 2 - tilt;
        const float secant = std::sqrt(1 + gx * gx + gy * gy);
        const float steep = std::max(secant / flat - 1, -0.5F);
        const float topography =
            1 + response.topography * steep / (1 + std::max(steep, 0.0F) / response.saturation);
        const float facing = 1 - response.towards * (gx * dx + (gy + tilt) * dy) / secant;
        const float over = (h.here[x] - h.near[x]) / ranges.escape;
        const float edge = 1 + response.edge * std::clamp(over, -0.4F, 0.8F);
        const float under = std::max(0.0F, (h.wide[x] - h.here[x]) / ranges.shade);
        const float open = 1 / (1 + response.pit * under);
        signal[x] *= topography * facing * edge * open;
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
    for (int y = 0; y < size; ++y) {
        const RowOf rows{height.row(std::max(y - 1, 0)), height.row(y),
                         height.row(std::min(y + 1, size - 1)), near.row(y), wide.row(y)};
        detect_row(rows, size, specimen, settings, ranges, signal.row(y));
    }
    return signal;
}

}  // namespace nanoatlas::synth
