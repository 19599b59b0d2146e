// Porous solids: open foams of struts, nanoporous metal, round pores that open into one another,
// and coarse sponges.
#include "synth/categories.hpp"
#include "synth/cells.hpp"
#include "synth/scenes/helpers.hpp"

namespace nanoatlas::synth::scenes {
namespace {

// Layers of cell walls, each deeper one seen through the windows of those above it.
void foam(Specimen& specimen, base::Random& random, float pore) {
    const int layers = whole(random, 3, 4);
    const float width = uniform(random, 0.10, 0.26), disorder = uniform(random, 0.5, 1);
    const float stretch = random.chance(0.3) ? uniform(random, 0.5, 2) : 1;
    for (float& height : specimen.height.values()) height = -3.2F * pore;
    for (int layer = layers; layer-- > 0;) {
        const auto cells = scatter_cells(random, specimen.size(), pore, disorder, stretch);
        Grid swell(specimen.size(), specimen.size());
        add_noise(swell, random, Wavelength(pore), 0.3F);
        const float level = -0.75F * pore * static_cast<float>(layer);
        for (std::size_t i = 0; i < swell.values().size(); ++i) {
            // Walls are thicker where three of them meet, far from the cells' middles.
            const float own = width * (0.6F + 0.9F * cells.centre.values()[i]);
            const float t = cells.wall.values()[i] / own;
            const float round = std::sqrt(std::max(0.0F, 1 - t * t));
            const float z = level + pore * (0.5F * own * round + 0.3F * swell.values()[i]);
            float& height = specimen.height.values()[i];
            height = t < 1 ? std::max(height, z) : height;
        }
    }
}

// Ligaments of a spinodal structure: the zero band of smooth noise, at two depths.
void ligaments(Specimen& specimen, base::Random& random, float pore) {
    const float share = uniform(random, 0.35, 0.6);
    for (float& height : specimen.height.values()) height = -2.6F * pore;
    for (float& yield : specimen.yield.values()) yield = 0.45F;
    for (const float level : {-1.7F, -0.85F, 0.0F}) {
        Grid field(specimen.size(), specimen.size());
        add_noise(field, random, Wavelength(0.62F * pore), 1);
        add_noise(field, random, Wavelength(0.45F * pore), 0.5F);
        for (std::size_t i = 0; i < field.values().size(); ++i) {
            const float t = std::abs(field.values()[i]) / share;
            const float round = std::sqrt(std::max(0.0F, 1 - t * t));
            const float z = pore * (level + 0.3F * round);
            float& height = specimen.height.values()[i];
            const bool solid = t < 1 && z > height;
            height = solid ? z : height;
            specimen.yield.values()[i] = solid ? 1 : specimen.yield.values()[i];
        }
    }
}

// Round pores cut into a solid, with smaller windows in their floors.
void bubbles(Specimen& specimen, base::Random& random, float pore) {
    add_noise(specimen.height, random, Wavelength(3 * pore), 0.15F * pore);
    const bool ordered = random.chance(0.35);
    const float r = pore / 2, spread = ordered ? 0.04F : uniform(random, 0.15, 0.5);
    std::vector<Point2> centres;
    const float row_step = 0.87F * pore;
    const int rows = static_cast<int>(specimen.side() / row_step) + 3;
    const int columns = static_cast<int>(specimen.side() / pore) + 3;
    for (int j = 0; ordered && j < rows; ++j)
        for (int i = 0; i < columns; ++i)
            centres.push_back({(static_cast<float>(i) - 0.5F * static_cast<float>(j % 2)) * pore +
                                   r * uniform(random, -0.1, 0.1),
                               static_cast<float>(j) * row_step + r * uniform(random, -0.1, 0.1)});
    const int scattered = static_cast<int>(2.2F * std::pow(specimen.side() / pore, 2.0F));
    for (int i = 0; !ordered && i < scattered; ++i) centres.push_back(place(random, specimen, r));
    for (const auto& at : centres) {
        const float own = std::min(log_normal(random, 0.93F * r, spread), 2.2F * r);
        const float z = ordered ? 0.2F * r : uniform(random, -0.5, 0.4) * own;
        carve_ellipsoid(specimen,
                        {at.x, at.y, z, own, own * uniform(random, 0.8, 1), 1.2F * own,
                         uniform(random, 0, full_turn)},
                        0.9F);
        for (int k = whole(random, 0, 2); k > 0; --k) {
            const float turn = uniform(random, 0, full_turn),
                        out = own * uniform(random, 0.15, 0.6);
            const float window = own * uniform(random, 0.15, 0.35);
            carve_ellipsoid(specimen,
                            {at.x + out * std::cos(turn), at.y + out * std::sin(turn), -0.8F * own,
                             window, window * 0.8F, 3 * own, turn},
                            0.5F);
        }
    }
}

// A coarse sponge: many thin sheets, each full of holes, one under the other.
void sponge(Specimen& specimen, base::Random& random, float pore) {
    for (float& height : specimen.height.values()) height = -3 * pore;
    for (float& yield : specimen.yield.values()) yield = 0.5F;
    Grid rough(specimen.size(), specimen.size());
    const float roughness = uniform(random, 0.02, 0.07) * pore;
    add_fractal(
        rough, random,
        {.wavelength = pore * 0.4F, .deviation = roughness, .octaves = 5, .persistence = 0.65F});
    const float open = uniform(random, -0.35, 0.25);
    for (int sheet = 5; sheet-- > 0;) {
        Grid field(specimen.size(), specimen.size());
        add_noise(field, random, Wavelength(0.55F * pore), 1);
        add_noise(field, random, Wavelength(0.25F * pore), 0.35F);
        const float level = -0.5F * pore * static_cast<float>(sheet);
        for (std::size_t i = 0; i < field.values().size(); ++i) {
            // Rims are round; away from a hole the sheet bulges.
            const float inside = field.values()[i] - open;
            const float lift = pore * 0.45F * (1 - std::exp(-2.5F * std::max(inside, 0.0F)));
            float& height = specimen.height.values()[i];
            const bool solid = inside > 0 && level + lift > height;
            height = solid ? level + lift + rough.values()[i] : height;
            specimen.yield.values()[i] = solid ? 1 : specimen.yield.values()[i];
        }
    }
}

}  // namespace

Specimen porous(base::Random& random, int size) {
    const double pore = log_uniform(random, 0.1e-6, 200e-6);
    Specimen specimen(size, choose_field(random, pore, 0.05, 0.25));
    using Draw = void (*)(Specimen&, base::Random&, float);
    constexpr std::array<Draw, 4> kinds = {foam, ligaments, bubbles, sponge};
    kinds[random.below(kinds.size())](specimen, random, specimen.pixels(pore));
    roughen(specimen, random, uniform(random, 0.03, 0.4), 0);
    specimen.charging = random.chance(0.4) ? uniform(random, 0.1, 0.9) : 0;
    return specimen;
}

}  // namespace nanoatlas::synth::scenes
