// Separable blurs and the statistics that the microscope needs.
#pragma once

#include "synth/grid.hpp"

namespace nanoatlas::synth {

/// Gaussian blur with the given standard deviations [px]; the border is repeated outwards. Wide
/// ones (above 4 px) are made at a quarter of the resolution.
Grid blur(const Grid& grid, float sigma_x, float sigma_y);
inline Grid blur(const Grid& grid, float sigma) {
    return blur(grid, sigma, sigma);
}

/// Values below which the given shares of the pixels lie, from every `step`th pixel.
struct Range {
    float low, high;
};
Range percentiles(const Grid& grid, double low, double high, int step = 5);

float mean(const Grid& grid);

}  // namespace nanoatlas::synth
