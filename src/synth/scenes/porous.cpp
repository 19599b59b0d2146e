// Porous solids: open foams of struts, nanoporous metal, round pores that open into one another,
// and coarse sponges.
#include "synth/categories.hpp"
#include "synth/cells.hpp"
#include "synth/filters.hpp"
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
    for (float& height : specimen.height.values()) height = -2.5F * pore;
    for (const float level : {-0.9F, 0.0F}) {
        Grid field(specimen.size(), specimen.size());
        add_noise(field, random, Wavelength(0.62F * pore), 1);
        add_noise(field, random, Wavelength(0.45F * pore), 0.5F);
        for (std::size_t i = 0; i < field.values().size(); ++i) {
            const float t = std::abs(field.values()[i]) / share;
            const float round = std::sqrt(std::max(0.0F, 1 - t * t));
            float& height = specimen.height.values()[i];
            height = t < 1 ? std::max(height, pore * (level + 0.3F * round)) : height;
        }
    }
}

// Round pores cut into a solid, with smaller windows in their floors.
void bubbles(Specimen& specimen, base::Random& random, float pore) {
    add_noise(specimen.height, random, Wavelength(3 * pore), 0.15F * pore);
    const bool ordered = random.chance(0.35);
    const float r = pore / 2, spread = ordered ? 0.04F : uniform(random, 0.15, 0.5);
    std::vector<Point2> centres;
    if (ordered)
        for (float y = -pore; y < specimen.side() + pore; y += 0.87F * pore)
            for (float x = -pore; x < specimen.side() + pore; x += pore)
                centres.push_back(
                    {x + (centres.size() % 2 == 0 ? 0.0F : 0.0F) +
                         (std::fmod(y / (0.87F * pore) + 9, 2.0F) < 1 ? pore / 2 : 0) +
                         r * uniform(random, -0.1, 0.1),
                     y + r * uniform(random, -0.1, 0.1)});
    else
        for (int i = 0; i < static_cast<int>(2.2F * std::pow(specimen.side() / pore, 2.0F)); ++i)
            centres.push_back(place(random, specimen, r));
    for (const auto& at : centres) {
        const float own = std::min(log_normal(random, 0.93F * r, spread), 2.2F * r);
        const float z = ordered ? 0.2F * r : uniform(random, -0.5, 0.4) * own;
        carve_ellipsoid(specimen,
                        {at.x, at.y, z, own, own * uniform(random, 0.8, 1), 1.2F * own,
                         uniform(random, 0, full_turn)},
                        0.9F);
        for (int k = whole(random, 1, 3); k > 0; --k) {
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

// Folded sheets: ridged noise, steep and deep.
void sponge(Specimen& specimen, base::Random& random, float pore) {
    Grid field(specimen.size(), specimen.size()), fine(specimen.size(), specimen.size());
    add_noise(field, random, Wavelength(pore * 0.7F), 1);
    add_noise(field, random, Wavelength(pore * 0.35F), 0.45F);
    add_fractal(
        fine, random,
        {.wavelength = pore * 0.5F, .deviation = 0.06F * pore, .octaves = 4, .persistence = 0.6F});
    for (std::size_t i = 0; i < field.values().size(); ++i) {
        const float ridge = std::exp(-2.2F * std::abs(field.values()[i]));
        specimen.height.values()[i] = pore * 1.5F * ridge + fine.values()[i];
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
