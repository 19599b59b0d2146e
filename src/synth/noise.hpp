// Smooth random fields: white noise on a lattice, interpolated by cubic B-splines.
//
// The kernel is close to a Gaussian, so the field shows neither the axes of its lattice nor its
// nodes, and it is separable: about two nanoseconds a pixel and octave.
#pragma once

#include "base/random.hpp"
#include "synth/grid.hpp"

namespace nanoatlas::synth {

/// Lattice spacing along x and y [px]; different ones make streaks.
struct Wavelength {
    float x, y;
    explicit Wavelength(float both) : x(both), y(both) {}
    Wavelength(float along_x, float along_y) : x(along_x), y(along_y) {}
};

/// Adds a field of zero mean and the given standard deviation.
void add_noise(Grid& grid, base::Random& random, Wavelength wavelength, float deviation);

/// Octaves of noise, each of half the wavelength of the one before and `persistence` times its
/// deviation; ends early where the wavelength falls below 1.5 px.
struct Fractal {
    float wavelength;  ///< of the first octave [px]
    float deviation;   ///< of the first octave
    int octaves = 5;
    float persistence = 0.5F;
    float stretch = 1;  ///< wavelength along x over the one along y
};
void add_fractal(Grid& grid, base::Random& random, const Fractal& fractal);

/// Fractal noise of unit standard deviation that repeats every `side` pixels, sampled with an
/// offset: one roughness for thousands of grains, none alike.
class Texture {
  public:
    static constexpr int side = 256;
    Texture(base::Random& random, const Fractal& fractal);
    const float* row(int y) const { return grid_.row(y & (side - 1)); }

  private:
    Grid grid_;
};

/// exp of a uniform number between the logarithms of both.
float log_uniform(base::Random& random, double low, double high);

}  // namespace nanoatlas::synth
