#include "synth/scenes/helpers.hpp"

namespace nanoatlas::synth::scenes {

std::vector<Node> wander(base::Random& random, Point2 start, float heading, float step, int steps,
                         float bend, float z, float radius) {
    std::vector<Node> path;
    float turn = 0;
    for (int i = 0; i < steps; ++i) {
        path.push_back({start.x, start.y, z, radius});
        turn = 0.7F * turn + bend * static_cast<float>(random.normal());
        heading += turn;
        start.x += step * std::cos(heading);
        start.y += step * std::sin(heading);
    }
    return path;
}

void roughen(Specimen& specimen, base::Random& random, float fine, float coarse) {
    const float unit = specimen.side() / 512;
    if (fine > 0)
        add_fractal(specimen.height, random,
                    {.wavelength = 6 * unit, .deviation = fine * unit, .octaves = 2});
    if (coarse > 0)
        add_fractal(specimen.height, random,
                    {.wavelength = 120 * unit, .deviation = coarse * unit, .octaves = 2});
}

void scatter_dust(Specimen& specimen, base::Random& random, int count, float largest) {
    for (int i = 0; i < count; ++i) {
        const auto at = place(random, specimen, 0);
        const float radius = largest * uniform(random, 0.25, 1);
        const Body grain{at.x, at.y, height_at(specimen, at.x, at.y) + 0.3F * radius, radius,
                         splinter_faces(random, 10, radius, 0.8F)};
        add_body(specimen, grain, {.yield = uniform(random, 1.0, 1.6)});
    }
}

}  // namespace nanoatlas::synth::scenes
