// Straight thin wires with two ends: strewn on a wafer, standing as a forest seen at a tilt, or
// tangled from above; some tapered, some with the droplet of metal that they grew from.
#include "synth/categories.hpp"
#include "synth/scenes/helpers.hpp"

namespace nanoatlas::synth::scenes {
namespace {

struct Wire {
    float radius, length, yield;
    float taper = 1;  ///< radius at the tip over the one at the foot
    bool droplet = false;
};

// From a foot on the wafer along a direction in space, as seen at the specimen's tilt.
void add_wire(Specimen& specimen, base::Random& random, const Wire& wire, Point2 foot, float lean,
              float heading, float z) {
    const float rise = std::sin(specimen.tilt), upright = std::cos(specimen.tilt);
    const float bow = uniform(random, -0.06, 0.06);
    std::vector<Node> path;
    constexpr int pieces = 6;
    for (int i = 0; i <= pieces; ++i) {
        const float t = static_cast<float>(i) / pieces, s = t * wire.length;
        const float flat = s * std::sin(lean), up = s * std::cos(lean);
        const float side = bow * wire.length * t * t;
        const float x = foot.x + flat * std::cos(heading) - side * std::sin(heading);
        const float y = foot.y + (flat * std::sin(heading) + side * std::cos(heading)) * upright;
        path.push_back(
            {x, y - up * rise, z + up / upright, wire.radius * (1 - t * (1 - wire.taper))});
    }
    add_tube(specimen, path, {.yield = wire.yield});
    if (wire.droplet) {
        const auto& tip = path.back();
        const float r = std::max(tip.radius * 1.5F, 1.0F);
        add_ellipsoid(specimen, {tip.x, tip.y, tip.z, r, r, r}, {.yield = wire.yield * 1.4F});
    }
}

Wire vary(base::Random& random, const Wire& wire) {
    Wire varied = wire;
    varied.radius = log_normal(random, wire.radius, 0.2F);
    varied.length = log_normal(random, wire.length, 0.3F);
    varied.yield = wire.yield * uniform(random, 0.9, 1.1);
    return varied;
}

constexpr float lying = std::numbers::pi_v<float> / 2;

void strew(Specimen& specimen, base::Random& random, const Wire& wire) {
    const int count = whole(random, 8, 70);
    const float main_heading = uniform(random, 0, full_turn);
    const float order = random.chance(0.3) ? 0.2F : 3;
    for (int i = 0; i < count; ++i) {
        const int together = random.chance(0.2) ? whole(random, 2, 4) : 1;
        const auto foot = place(random, specimen, wire.length / 2);
        for (int k = 0; k < together; ++k)
            add_wire(specimen, random, vary(random, wire), foot, lying,
                     main_heading + order * static_cast<float>(random.normal()),
                     wire.radius * uniform(random, 0.3, 1.4));
    }
}

void tangle(Specimen& specimen, base::Random& random, const Wire& wire) {
    const int count = whole(random, 200, 500);
    for (int i = 0; i < count; ++i)
        add_wire(specimen, random, vary(random, wire), place(random, specimen, wire.length / 2),
                 uniform(random, 1.2, 1.7), uniform(random, 0, full_turn),
                 wire.radius * 8 * uniform(random, 0, 1));
}

void plant_forest(Specimen& specimen, base::Random& random, const Wire& wire) {
    specimen.tilt = uniform(random, 0.35, 0.9);
    const float spread = random.chance(0.5) ? 0.05F : 0.3F;
    const int count = static_cast<int>(specimen.side() * specimen.side() /
                                       (std::pow(wire.radius, 2.0F) * uniform(random, 40, 160)));
    std::vector<float> feet;
    for (int i = 0; i < std::clamp(count, 30, 700); ++i)
        feet.push_back(uniform(random, 0, specimen.side() + wire.length));
    for (const float y : feet)
        add_wire(specimen, random, vary(random, wire),
                 {uniform(random, -10, specimen.side() + 10), y},
                 std::abs(spread * static_cast<float>(random.normal())),
                 uniform(random, 0, full_turn), 0);
}

}  // namespace

Specimen nanowires(base::Random& random, int size) {
    const double diameter = log_uniform(random, 25e-9, 250e-9);
    Specimen specimen(size, choose_field(random, diameter, 0.005, 0.022));
    roughen(specimen, random, uniform(random, 0.02, 0.15), uniform(random, 0, 1));
    for (float& yield : specimen.yield.values()) yield = 0.8F;
    Wire wire{.radius = std::max(0.6F, specimen.pixels(diameter) / 2),
              .length = specimen.side() * uniform(random, 0.12, 0.5),
              .yield = uniform(random, 1.2, 1.9)};
    if (random.chance(0.4)) wire.taper = uniform(random, 0.2, 0.7);
    wire.droplet = random.chance(0.35);
    const double kind = random.uniform();
    if (kind < 0.45)
        strew(specimen, random, wire);
    else if (kind < 0.65)
        tangle(specimen, random, wire);
    else
        plant_forest(specimen, random, wire);
    specimen.charging = random.chance(0.15) ? uniform(random, 0.2, 0.6) : 0;
    return specimen;
}

}  // namespace nanoatlas::synth::scenes
