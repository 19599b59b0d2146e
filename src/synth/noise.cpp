#include "synth/noise.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace nanoatlas::synth {
namespace {

// The four cubic B-spline weights at fraction t of a cell.
std::array<float, 4> spline_weights(float t) {
    const float s = 1 - t, t2 = t * t, t3 = t2 * t;
    return {s * s * s / 6, (3 * t3 - 6 * t2 + 4) / 6, (-3 * t3 + 3 * t2 + 3 * t + 1) / 6, t3 / 6};
}

// Root of the mean over a cell of the squared weights' sum, per axis.
constexpr float spline_deviation = 0.69237F;

// Where each pixel of an axis lies on the lattice; the lattice repeats after `cells` nodes.
struct Axis {
    Axis(int pixels, float wavelength, float phase) : first(pixels), weights(4) {
        for (auto& w : weights) w.resize(static_cast<std::size_t>(pixels));
        for (int i = 0; i < pixels; ++i) {
            const float position = static_cast<float>(i) / wavelength + phase;
            const float floor = std::floor(position);
            const auto w = spline_weights(position - floor);
            const auto at = static_cast<std::size_t>(i);
            first[at] = static_cast<int>(floor);
            for (std::size_t k = 0; k < 4; ++k) weights[k][at] = w[k];
        }
        nodes = first.back() + 4;
    }
    std::vector<int> first;
    std::vector<std::vector<float>> weights;
    int nodes = 0;
};

Grid white_lattice(base::Random& random, int width, int height, float deviation) {
    Grid lattice(width, height);
    const auto range = deviation * std::sqrt(3.0F);
    for (float& value : lattice.values()) value = range * static_cast<float>(random.uniform(-1, 1));
    return lattice;
}

void add_interpolated(Grid& grid, const Grid& lattice, const Axis& along_x, const Axis& along_y) {
    std::vector<float> nodes(static_cast<std::size_t>(along_x.nodes));
    const int* first = along_x.first.data();
    const float *w0 = along_x.weights[0].data(), *w1 = along_x.weights[1].data(),
                *w2 = along_x.weights[2].data(), *w3 = along_x.weights[3].data();
    for (int y = 0; y < grid.height(); ++y) {
        const auto at = static_cast<std::size_t>(y);
        std::fill(nodes.begin(), nodes.end(), 0.0F);
        for (int k = 0; k < 4; ++k) {
            const float weight = along_y.weights[static_cast<std::size_t>(k)][at];
            const float* values = lattice.row((along_y.first[at] + k) % lattice.height());
            for (int i = 0; i < lattice.width(); ++i)
                nodes[static_cast<std::size_t>(i)] += weight * values[i];
        }
        // A repeating lattice is narrower than the nodes it serves.
        for (auto i = static_cast<std::size_t>(lattice.width()); i < nodes.size(); ++i)
            nodes[i] = nodes[i - static_cast<std::size_t>(lattice.width())];
        float* out = grid.row(y);
        const float* node = nodes.data();
        for (int x = 0; x < grid.width(); ++x) {
            const float* n = node + first[x];
            out[x] += w0[x] * n[0] + w1[x] * n[1] + w2[x] * n[2] + w3[x] * n[3];
        }
    }
}

}  // namespace

void add_noise(Grid& grid, base::Random& random, Wavelength wavelength, float deviation) {
    const Axis along_x(grid.width(), wavelength.x, static_cast<float>(random.uniform()));
    const Axis along_y(grid.height(), wavelength.y, static_cast<float>(random.uniform()));
    const float per_axis = spline_deviation * spline_deviation;
    const auto lattice = white_lattice(random, along_x.nodes, along_y.nodes, deviation / per_axis);
    add_interpolated(grid, lattice, along_x, along_y);
}

void add_fractal(Grid& grid, base::Random& random, const Fractal& fractal) {
    float wavelength = fractal.wavelength, deviation = fractal.deviation;
    for (int octave = 0; octave < fractal.octaves && wavelength >= 1.5F; ++octave) {
        const float root = std::sqrt(fractal.stretch);
        add_noise(grid, random, {wavelength * root, wavelength / root}, deviation);
        wavelength /= 2;
        deviation *= fractal.persistence;
    }
}

Texture::Texture(base::Random& random, const Fractal& fractal) : grid_(side, side) {
    float deviation = 1, sum = 0, wavelength = std::min(fractal.wavelength, side / 4.0F);
    for (int octave = 0; octave < fractal.octaves && wavelength >= 1.5F; ++octave) {
        // A whole number of cells, so that the lattice and with it the texture repeats.
        const int cells = std::max(4, static_cast<int>(std::lround(side / wavelength)));
        const Axis axis(side, static_cast<float>(side) / static_cast<float>(cells), 0);
        const auto lattice =
            white_lattice(random, cells, cells, deviation / (spline_deviation * spline_deviation));
        add_interpolated(grid_, lattice, axis, axis);
        sum += deviation * deviation;
        wavelength /= 2;
        deviation *= fractal.persistence;
    }
    const float scale = 1 / std::sqrt(std::max(sum, 1e-6F));
    for (float& value : grid_.values()) value *= scale;
}

float log_uniform(base::Random& random, double low, double high) {
    return static_cast<float>(low * std::pow(high / low, random.uniform()));
}

}  // namespace nanoatlas::synth
