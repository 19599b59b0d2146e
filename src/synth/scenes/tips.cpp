// Sharp tips against the dark of the chamber: etched wires, needles on posts, pyramids of probes on
// their cantilevers from above, and the apex at high magnification.
#include "synth/categories.hpp"
#include "synth/scenes/helpers.hpp"

namespace nanoatlas::synth::scenes {
namespace {

// A body of revolution along a line from the apex: radius_at(distance from the apex).
template <class Radius>
void add_taper(Specimen& specimen, Point2 apex, float heading, float length,
               const Radius& radius_at, const Material& material) {
    std::vector<Node> nodes;
    const int pieces = 60;
    for (int i = 0; i <= pieces; ++i) {
        const float t = static_cast<float>(i) / pieces, s = length * t * t;
        const float r = radius_at(s);
        nodes.push_back(
            {apex.x + (s + r) * std::cos(heading), apex.y + (s + r) * std::sin(heading), 0, r});
    }
    add_tube(specimen, nodes, material);
}

// Nothing near: no electrons come back but strays.
void darken(Specimen& specimen, base::Random& random) {
    const float stray = uniform(random, 0.03, 0.25);
    for (float& yield : specimen.yield.values()) yield = stray;
    for (float& height : specimen.height.values()) height = -1.2F * specimen.side();
    add_noise(specimen.yield, random, Wavelength(specimen.side()), 0.03F);
    for (float& yield : specimen.yield.values()) yield = std::max(yield, 0.02F);
}

Specimen etched_wire(base::Random& random, int size) {
    const double apex_radius = log_uniform(random, 30e-9, 3e-6);
    Specimen specimen(size, choose_field(random, apex_radius, 0.003, 0.08));
    darken(specimen, random);
    const float tip = std::max(1.0F, specimen.pixels(apex_radius)), side = specimen.side();
    const Point2 apex{side * uniform(random, 0.35, 0.65), side * uniform(random, 0.12, 0.5)};
    const float heading =
        full_turn / 4 + uniform(random, -0.5, 0.5) - (random.chance(0.3) ? full_turn / 4 : 0);
    const float power = uniform(random, 0.75, 1.7), shank = side * uniform(random, 0.08, 0.3);
    const Texture texture(
        random, {.wavelength = side / 30, .deviation = 1, .octaves = 5, .persistence = 0.6F});
    const float rough = uniform(random, 0.002, 0.012) * side / 4;
    add_taper(
        specimen, apex, heading, 1.6F * side,
        [&](float s) { return tip + shank * std::pow(s / (0.7F * side), power); },
        textured(random, uniform(random, 0.9, 1.3), texture, rough));
    return specimen;
}

// A lamella or needle sharpened by ions on top of a post.
Specimen needle_on_post(base::Random& random, int size) {
    const double post = log_uniform(random, 1e-6, 8e-6);
    Specimen specimen(size, choose_field(random, post, 0.12, 0.35));
    darken(specimen, random);
    const float side = specimen.side(), radius = specimen.pixels(post) / 2;
    const Point2 apex{side * uniform(random, 0.4, 0.6), side * uniform(random, 0.1, 0.3)};
    const float heading = full_turn / 4 + uniform(random, -0.06, 0.06);
    const float tip = std::max(1.0F, radius * uniform(random, 0.02, 0.08));
    const float neck = side * uniform(random, 0.25, 0.5),
                thin = radius * uniform(random, 0.25, 0.5);
    const Texture texture(random, {.wavelength = side / 60, .deviation = 1});
    const auto profile = [&](float s) {
        const float needle = tip + (thin - tip) * std::pow(std::min(s / neck, 1.0F), 1.2F);
        const float foot = std::clamp((s - neck) / (0.12F * side), 0.0F, 1.0F);
        return needle + (radius - thin) * foot * foot * (3 - 2 * foot);
    };
    add_taper(specimen, apex, heading, 1.2F * side, profile,
              textured(random, uniform(random, 0.9, 1.3), texture, side * 0.002F));
    if (random.chance(0.5)) {
        const float ground = apex.y + neck + 0.3F * side;
        add_plate(specimen,
                  {rectangle(side / 2, ground + side / 2, 2 * side, side), -side, -radius, 2},
                  {.yield = 0.6F});
    }
    return specimen;
}

// A probe from above: the beam ends in a point, with a pyramid near its end.
Specimen probe_from_above(base::Random& random, int size) {
    const double pyramid = log_uniform(random, 3e-6, 15e-6);
    Specimen specimen(size, choose_field(random, pyramid, 0.07, 0.5));
    darken(specimen, random);
    const float side = specimen.side(), base_width = specimen.pixels(pyramid);
    const float width = base_width * uniform(random, 1.6, 3),
                heading = uniform(random, 0, full_turn);
    const float c = std::cos(heading), s = std::sin(heading);
    const Point2 end{side * uniform(random, 0.4, 0.6) + 0.5F * width * c,
                     side * uniform(random, 0.4, 0.6) + 0.5F * width * s};
    const auto along = [&](float back, float out) {
        return Point2{end.x - back * c - out * s, end.y - back * s + out * c};
    };
    const float taper = width * uniform(random, 0.1, 0.9), long_enough = 2.5F * side;
    add_plate(specimen,
              {{along(0, 0), along(taper, width / 2), along(long_enough, width / 2),
                along(long_enough, -width / 2), along(taper, -width / 2)},
               -side * 0.1F,
               0,
               8},
              {.yield = uniform(random, 0.8, 1.1)});
    const Point2 foot = along(taper * 0.5F + base_width * uniform(random, 0.55, 0.8), 0);
    const int corners = random.chance(0.7) ? 4 : whole(random, 3, 8);
    const float steep = uniform(random, 0.9, 2.2);
    add_plate(specimen,
              {regular_polygon(foot.x, foot.y, base_width * 0.7F, corners, heading + full_turn / 8),
               0, base_width * 2, steep},
              {.yield = uniform(random, 1, 1.4)});
    roughen(specimen, random, uniform(random, 0.02, 0.15), 0.5F);
    return specimen;
}

// A probe from the side: a beam across the picture with the tip standing on it.
Specimen probe_from_side(base::Random& random, int size) {
    const double height = log_uniform(random, 3e-6, 20e-6);
    Specimen specimen(size, choose_field(random, height, 0.25, 0.7));
    darken(specimen, random);
    const float side = specimen.side(), tall = specimen.pixels(height);
    const float beam_top = side * uniform(random, 0.6, 0.8), lean = uniform(random, -0.25, 0.25);
    const float x = side * uniform(random, 0.35, 0.65), half = tall * uniform(random, 0.2, 0.45);
    const Point2 apex{x + lean * tall, beam_top - tall};
    const float tip = std::max(1.0F, tall * uniform(random, 0.005, 0.03));
    const Texture texture(random, {.wavelength = side / 40, .deviation = 1});
    const auto material = textured(random, uniform(random, 0.9, 1.3), texture, side * 0.0015F);
    // Two or three flat faces that meet in the apex.
    const float ridge = x + half * uniform(random, -0.5, 0.5);
    const auto facet = [&](float left, float right, float yield) {
        Material face = material;
        face.yield *= yield;
        add_plate(specimen,
                  {{{apex.x - tip, apex.y},
                    {apex.x + tip, apex.y},
                    {right, beam_top + 2},
                    {left, beam_top + 2}},
                   -4,
                   0,
                   4},
                  face);
    };
    facet(x - half, ridge, uniform(random, 0.7, 1));
    facet(ridge, x + half, uniform(random, 1, 1.4));
    const float thick = side * uniform(random, 0.08, 0.5);
    const float beam_end = random.chance(0.5) ? x + half * uniform(random, 1.2, 3) : 2 * side;
    add_plate(specimen,
              {{{-side, beam_top},
                {beam_end, beam_top},
                {beam_end - 0.3F * thick, beam_top + thick},
                {-side, beam_top + thick}},
               -8,
               1,
               2},
              textured(random, 0.9F, texture, side * 0.001F));
    return specimen;
}

}  // namespace

Specimen tips(base::Random& random, int size) {
    using Draw = Specimen (*)(base::Random&, int);
    constexpr std::array<Draw, 5> kinds = {etched_wire, etched_wire, needle_on_post,
                                           probe_from_above, probe_from_side};
    auto specimen = kinds[random.below(kinds.size())](random, size);
    specimen.charging = random.chance(0.2) ? uniform(random, 0.1, 0.6) : 0;
    return specimen;
}

}  // namespace nanoatlas::synth::scenes
