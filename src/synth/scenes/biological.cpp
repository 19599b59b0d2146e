// Biological samples: cells with ruffles and filopodia, bacteria, red blood cells, pollen, diatoms.
#include "synth/categories.hpp"
#include "synth/scenes/helpers.hpp"

namespace nanoatlas::synth::scenes {
namespace {

// Operators centre something before they save: the first one lies well inside the field.
Point2 place_of(base::Random& random, const Specimen& specimen, int number, float margin) {
    return place(random, specimen, number == 0 ? -0.25F * specimen.side() : margin);
}

void cells_on_substrate(Specimen& specimen, base::Random& random, float radius) {
    const Texture ruffles(random, {.wavelength = std::max(4.0F, radius * 0.16F),
                                   .deviation = 1,
                                   .octaves = 3,
                                   .persistence = 0.7F});
    const float thin = std::max(0.7F, radius * 0.025F);
    const float area = specimen.side() * specimen.side() / (radius * radius);
    const int count = std::clamp(static_cast<int>(area * uniform(random, 0.04, 0.2)), 1, 60);
    for (int i = 0; i < count; ++i) {
        const auto at = place_of(random, specimen, i, radius / 2);
        const float r = log_normal(random, radius, 0.2F), turn = uniform(random, 0, full_turn);
        const float oblong =
            random.chance(0.35) ? uniform(random, 1.4, 2.6) : uniform(random, 1, 1.2);
        const float flat = oblong > 1.3F ? uniform(random, 0.25, 0.5) : uniform(random, 0.6, 0.95);
        const int threads = whole(random, 5, 28);
        for (int k = 0; k < threads; ++k) {
            const float heading = uniform(random, 0, full_turn);
            const Point2 rim{at.x + 0.8F * r * std::cos(heading),
                             at.y + 0.8F * r * std::sin(heading)};
            const int steps = whole(random, 4, 16);
            auto path = wander(random, rim, heading, r * 0.1F, steps, 0.12F, thin, thin);
            path.front().z = 0.2F * r;
            add_tube(specimen, path, {.yield = 1.2F});
        }
        const auto skin = textured(random, uniform(random, 0.95, 1.15), ruffles,
                                   r * uniform(random, 0.02, 0.055));
        add_ellipsoid(specimen, {at.x, at.y, 0, r * 1.25F * oblong, r * 1.2F, r * 0.16F, turn},
                      skin);
        add_ellipsoid(specimen, {at.x, at.y, 0, r * oblong, r, r * flat, turn}, skin);
    }
}

void bacteria(Specimen& specimen, base::Random& random, float radius) {
    const bool rods = random.chance(0.65);
    const float area = specimen.side() * specimen.side() / (radius * radius);
    const int count = std::clamp(static_cast<int>(area * uniform(random, 0.015, 0.12)), 6, 700);
    const Texture skin(random, {.wavelength = std::max(4.0F, radius), .deviation = 1});
    const float length = rods ? radius * uniform(random, 2.5, 6) : 0;
    for (int i = 0; i < count; ++i) {
        auto at = place(random, specimen, length);
        const float heading = uniform(random, 0, full_turn);
        const int chain = random.chance(0.4) ? whole(random, 2, rods ? 2 : 6) : 1;
        const float floor = 0.5F * std::clamp(height_at(specimen, at.x, at.y), 0.0F, 3 * radius);
        for (int k = 0; k < chain; ++k) {
            const float r = log_normal(random, radius, 0.07F),
                        own = length * uniform(random, 0.7, 1.2);
            const auto body =
                wander(random, at, heading, std::max(own / 5, 0.4F), 6, 0.05F, floor + 0.6F * r, r);
            add_tube(specimen, body, textured(random, uniform(random, 1.0, 1.2), skin, 0.05F * r));
            at = {body.back().x + 1.75F * r * std::cos(heading),
                  body.back().y + 1.75F * r * std::sin(heading)};
        }
        if (rods && random.chance(0.15)) {
            const float thread = std::max(0.6F, radius * 0.08F);
            add_tube(specimen, wander(random, at, heading, radius, 12, 0.5F, thread, thread),
                     {.yield = 1});
        }
    }
}

// A disc, thick at the rim and hollow in the middle, lying at some tilt.
void red_blood_cells(Specimen& specimen, base::Random& random, float radius) {
    const float area = specimen.side() * specimen.side() / (radius * radius);
    const int count = std::clamp(static_cast<int>(area * uniform(random, 0.08, 0.5)), 3, 300);
    for (int i = 0; i < count; ++i) {
        const auto at = place_of(random, specimen, i, radius);
        const float r = log_normal(random, radius, 0.08F), turn = uniform(random, 0, full_turn);
        const float narrow =
            random.chance(0.6) ? uniform(random, 0.85, 1) : uniform(random, 0.35, 0.85);
        const float floor = 0.7F * std::max(0.0F, height_at(specimen, at.x, at.y));
        const Material skin{.yield = uniform(random, 1.0, 1.15)};
        constexpr int pieces = 36;
        std::vector<Node> ring;
        const float thick = 0.34F * r;
        for (int k = 0; k <= pieces; ++k) {
            const float t = full_turn * static_cast<float>(k) / pieces;
            const float u = 0.66F * r * std::cos(t), v = 0.66F * r * narrow * std::sin(t);
            const float up = 0.66F * r * std::sqrt(1 - narrow * narrow) * std::sin(t);
            ring.push_back({at.x + u * std::cos(turn) - v * std::sin(turn),
                            at.y + u * std::sin(turn) + v * std::cos(turn), floor + thick + up,
                            thick});
        }
        add_ellipsoid(specimen, {at.x, at.y, floor, 0.7F * r, 0.7F * r * narrow, 0.42F * r, turn},
                      skin);
        add_tube(specimen, ring, skin);
    }
}

// Spheres with spines or a net of ridges.
void pollen(Specimen& specimen, base::Random& random, float radius) {
    const float area = specimen.side() * specimen.side() / (radius * radius);
    const int count = std::clamp(static_cast<int>(area * uniform(random, 0.03, 0.16)), 1, 50);
    const bool spines = random.chance(0.6);
    const int rows = whole(random, 5, 9);
    const float oblong = random.chance(0.4) ? uniform(random, 1.2, 1.7) : 1;
    const Texture skin(random, {.wavelength = std::max(4.0F, radius * 0.2F), .deviation = 1});
    for (int i = 0; i < count; ++i) {
        const auto at = place_of(random, specimen, i, radius / 2);
        const float r = log_normal(random, radius, 0.1F), turn = uniform(random, 0, full_turn);
        const float floor =
            0.6F * std::clamp(height_at(specimen, at.x, at.y), 0.0F, 2 * r) + 0.8F * r;
        const auto material =
            textured(random, uniform(random, 1.0, 1.15), skin, spines ? 0.01F * r : 0.02F * r);
        add_ellipsoid(specimen, {at.x, at.y, floor, r * oblong, r, r, turn}, material);
        const float phase = uniform(random, 0, 1);
        for (int j = 1; j < rows; ++j) {
            const float polar = full_turn / 4 * (static_cast<float>(j) + phase - 0.5F) /
                                (static_cast<float>(rows) - 0.5F);
            const int around =
                std::max(3, static_cast<int>(4.2F * static_cast<float>(rows) * std::sin(polar)));
            for (int k = 0; k < around; ++k) {
                const float t = full_turn *
                                (static_cast<float>(k) + 0.5F * static_cast<float>(j % 2)) /
                                static_cast<float>(around);
                const auto on = [&](float up) {
                    const float u = up * r * oblong * std::sin(polar) * std::cos(t),
                                v = up * r * std::sin(polar) * std::sin(t);
                    return Node{at.x + u * std::cos(turn) - v * std::sin(turn),
                                at.y + u * std::sin(turn) + v * std::cos(turn),
                                floor + up * r * std::cos(polar), 0};
                };
                if (spines) {
                    std::vector<Node> spine{on(0.95F), on(1.25F)};
                    spine[0].radius = 0.085F * r, spine[1].radius = 0.015F * r;
                    add_tube(specimen, spine, {.yield = 1.05F});
                } else {
                    const auto pit = on(1.03F);
                    const float wide = r * 0.62F / static_cast<float>(rows);
                    carve_ellipsoid(specimen,
                                    {pit.x, pit.y, pit.z, wide * std::max(0.35F, std::cos(polar)),
                                     wide, wide, t + turn},
                                    0.95F);
                }
            }
        }
    }
}

// Frustules of diatoms: discs or boats of silica with rows of pores.
void diatoms(Specimen& specimen, base::Random& random, float radius) {
    const float area = specimen.side() * specimen.side() / (radius * radius);
    const int count = std::clamp(static_cast<int>(area * uniform(random, 0.02, 0.10)), 1, 40);
    const bool boats = random.chance(0.4);
    const int rings = whole(random, 6, 12);
    for (int i = 0; i < count; ++i) {
        const auto at = place_of(random, specimen, i, radius / 3);
        const float r = log_normal(random, radius, 0.25F), turn = uniform(random, 0, full_turn);
        const float floor = 0.5F * std::clamp(height_at(specimen, at.x, at.y), 0.0F, r);
        const float rx = boats ? 1.7F * r : r, ry = boats ? 0.42F * r : r, rz = 0.28F * r;
        add_ellipsoid(specimen, {at.x, at.y, floor, rx, ry, rz, turn}, {.yield = 1.1F});
        const auto pore = [&](float u, float v, float size) {
            const float lift = std::sqrt(std::max(0.0F, 1 - u * u - v * v));
            carve_ellipsoid(
                specimen,
                {at.x + rx * u * std::cos(turn) - ry * v * std::sin(turn),
                 at.y + rx * u * std::sin(turn) + ry * v * std::cos(turn),
                 floor + rz * lift + 0.2F * size, size, boats ? size * 1.8F : size, 2 * size, turn},
                0.7F);
        };
        if (boats) {
            const int stripes = 3 * rings;
            for (int k = 1; k < stripes; ++k)
                for (const float v : {-0.62F, -0.3F, 0.3F, 0.62F}) {
                    const float u = 2 * static_cast<float>(k) / static_cast<float>(stripes) - 1;
                    const float half = std::sqrt(1 - u * u);
                    pore(u, v * half, 0.45F * rx / static_cast<float>(stripes));
                }
        } else {
            for (int ring = 1; ring < rings; ++ring)
                for (int k = 0; k < 6 * ring; ++k) {
                    const float t = full_turn *
                                    (static_cast<float>(k) + 0.5F * static_cast<float>(ring % 2)) /
                                    static_cast<float>(6 * ring);
                    const float out = 0.93F * static_cast<float>(ring) / static_cast<float>(rings);
                    pore(out * std::cos(t), out * std::sin(t),
                         0.33F * r / static_cast<float>(rings));
                }
        }
    }
}

}  // namespace

Specimen biological(base::Random& random, int size) {
    struct Kind {
        void (*draw)(Specimen&, base::Random&, float);
        double smallest, largest;  // radius [m]
        double share_low, share_high;
    };
    constexpr std::array<Kind, 5> kinds = {{{cells_on_substrate, 4e-6, 10e-6, 0.04, 0.22},
                                            {bacteria, 0.3e-6, 0.6e-6, 0.012, 0.05},
                                            {red_blood_cells, 3e-6, 4e-6, 0.04, 0.16},
                                            {pollen, 8e-6, 40e-6, 0.07, 0.3},
                                            {diatoms, 5e-6, 40e-6, 0.08, 0.3}}};
    const auto& kind = kinds[random.below(kinds.size())];
    const double radius = log_uniform(random, kind.smallest, kind.largest);
    Specimen specimen(size, choose_field(random, radius, kind.share_low, kind.share_high));
    const float unit = specimen.side() / 512;
    roughen(specimen, random, uniform(random, 0.02, 0.2), uniform(random, 0.3, 2.5));
    for (float& yield : specimen.yield.values()) yield = 0.85F;
    if (random.chance(0.4)) {  // a filter membrane under it
        for (int i = whole(random, 40, 250); i > 0; --i) {
            const auto at = place(random, specimen, 0);
            const float r = unit * uniform(random, 1.2, 2.5);
            carve_ellipsoid(specimen, {at.x, at.y, 0, r, r, 8 * unit}, 0.4F);
        }
    }
    kind.draw(specimen, random, specimen.pixels(radius));
    scatter_dust(specimen, random, whole(random, 0, 30), 3.5F * unit);
    specimen.charging = uniform(random, 0, 0.7);
    return specimen;
}

}  // namespace nanoatlas::synth::scenes
