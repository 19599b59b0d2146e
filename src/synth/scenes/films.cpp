// Films and coated surfaces: grains of a sputtered film, dried films that crack, cross-sections of
// stacks, smooth coatings with blisters, pinholes and scratches, wrinkled skins.
#include "synth/categories.hpp"
#include "synth/cells.hpp"
#include "synth/scenes/helpers.hpp"

namespace nanoatlas::synth::scenes {
namespace {

Specimen grown_film(base::Random& random, int size) {
    const double grain = log_uniform(random, 30e-9, 2e-6);
    Specimen specimen(size, choose_field(random, grain, 0.02, 0.12));
    const float spacing = specimen.pixels(grain);
    const auto cells = scatter_cells(random, size, spacing, 1);
    const float dome = spacing * uniform(random, 0.15, 0.5),
                step = spacing * uniform(random, 0, 0.35);
    const float channelling = uniform(random, 0, 0.2);
    for (std::size_t i = 0; i < cells.wall.values().size(); ++i) {
        const float wall = std::min(cells.wall.values()[i], 0.5F);
        const float number = cells.number.values()[i];
        specimen.height.values()[i] = dome * std::sqrt(wall) + step * number;
        specimen.yield.values()[i] = 1 + channelling * (2 * number - 1);
    }
    roughen(specimen, random, uniform(random, 0.05, 0.2), 2);
    return specimen;
}

// Plates between cracks; finer, later cracks divide them where the film is thick enough.
Specimen cracked_film(base::Random& random, int size) {
    const double plate = log_uniform(random, 2e-6, 100e-6);
    Specimen specimen(size, choose_field(random, plate, 0.1, 0.45));
    const float spacing = specimen.pixels(plate), unit = specimen.side() / 512;
    const auto cells = scatter_cells(random, size, spacing, 0.95F);
    const auto finer = scatter_cells(random, size, spacing * uniform(random, 0.25, 0.5), 1);
    const float fine_width = random.chance(0.6) ? uniform(random, 0.02, 0.05) : 0;
    Grid ragged(size, size), stress(size, size);
    add_fractal(ragged, random, {.wavelength = spacing / 3, .deviation = 0.018F, .octaves = 4});
    add_noise(stress, random, Wavelength(spacing / 2), 1);
    const float width = uniform(random, 0.015, 0.07), curl = uniform(random, 0, 0.10) * spacing;
    const float depth = uniform(random, 8, 25) * unit;
    for (std::size_t i = 0; i < cells.wall.values().size(); ++i) {
        const float off = ragged.values()[i];
        const float wall = cells.wall.values()[i] + off, fine = finer.wall.values()[i] + 2 * off;
        // Fine cracks open where the stress is high, and close towards their ends.
        const float own = fine_width * std::min(stress.values()[i] - 0.3F, 1.0F);
        const float open = std::min((wall - width) / 0.02F, own > 0 ? (fine - own) / 0.04F : 1);
        const float inside = std::clamp(open, 0.0F, 1.0F);
        specimen.height.values()[i] = depth * (inside - 1) + curl * std::exp(-wall * 6) * inside;
        specimen.yield.values()[i] = inside > 0 ? 1 : 0.6F;
    }
    roughen(specimen, random, uniform(random, 0.03, 0.25), uniform(random, 0.5, 3));
    specimen.charging = uniform(random, 0, 0.8);
    return specimen;
}

// A broken edge seen from the side: substrate below, layers, and the dark chamber above.
Specimen cross_section(base::Random& random, int size) {
    const double thickness = log_uniform(random, 100e-9, 10e-6);
    Specimen specimen(size, choose_field(random, thickness, 0.15, 0.5));
    const float unit = specimen.side() / 512;
    const int layers = whole(random, 1, 4);
    float level = specimen.side() * uniform(random, 0.55, 0.85);
    const float film = specimen.pixels(thickness);
    std::vector<float> bounds{level};
    for (int i = 0; i < layers; ++i)
        bounds.push_back(level -= film * uniform(random, 0.5, 1.5) / static_cast<float>(layers));
    std::vector<Grid> edges;
    std::vector<float> yields{uniform(random, 0.7, 1)};
    for (std::size_t i = 0; i < bounds.size(); ++i) {
        edges.emplace_back(size, 1, bounds[i]);
        const float wave = (i + 1 == bounds.size() ? 6 : 1.5F) * unit * uniform(random, 0.2, 1);
        add_fractal(edges.back(), random,
                    {.wavelength = 60 * unit, .deviation = wave, .persistence = 0.7F});
        yields.push_back(uniform(random, 0.6, 1.7));
    }
    Grid columns(size, size), grainy(size, size);
    const float column = film * uniform(random, 0.03, 0.12);
    add_fractal(columns, random,
                {.wavelength = std::max(4.0F, column),
                 .deviation = 0.22F * column,
                 .octaves = 3,
                 .stretch = 0.08F});
    add_fractal(grainy, random, {.wavelength = 50 * unit, .deviation = 1.5F * unit, .octaves = 5});
    const bool columnar = random.chance(0.6);
    for (int y = 0; y < size; ++y)
        for (int x = 0; x < size; ++x) {
            std::size_t layer = 0;
            while (layer < edges.size() && static_cast<float>(y) < edges[layer](x, 0)) ++layer;
            const bool vacuum = layer == edges.size();
            const float relief = layer == 0 ? 0.5F * grainy(x, y)
                                 : columnar ? columns(x, y)
                                            : grainy(x, y);
            specimen.height(x, y) =
                vacuum ? -30 * unit : 2 * unit * static_cast<float>(layer % 2) + relief;
            specimen.yield(x, y) = vacuum ? 0.12F : yields[layer];
        }
    return specimen;
}

Specimen smooth_coating(base::Random& random, int size) {
    const double defect = log_uniform(random, 0.2e-6, 20e-6);
    Specimen specimen(size, choose_field(random, defect, 0.02, 0.12));
    const float unit = specimen.side() / 512, r = specimen.pixels(defect) / 2;
    roughen(specimen, random, uniform(random, 0.05, 0.3), uniform(random, 0.5, 3));
    const int blisters = random.chance(0.6) ? whole(random, 2, 40) : 0;
    for (int i = 0; i < blisters; ++i) {
        const auto at = place(random, specimen, r);
        const float radius = r * log_uniform(random, 0.4, 2);
        add_ellipsoid(specimen,
                      {at.x, at.y, 0, radius, radius * uniform(random, 0.7, 1),
                       radius * uniform(random, 0.15, 0.5), uniform(random, 0, full_turn)},
                      {.yield = 1});
    }
    const int pinholes = random.chance(0.6) ? whole(random, 5, 120) : 0;
    for (int i = 0; i < pinholes; ++i) {
        const auto at = place(random, specimen, r);
        const float radius = std::max(1.0F, r * log_uniform(random, 0.1, 0.5));
        carve_ellipsoid(specimen,
                        {at.x, at.y, 0, radius, radius * uniform(random, 0.6, 1), radius * 2,
                         uniform(random, 0, full_turn)},
                        0.7F);
    }
    const int scratches = random.chance(0.5) ? whole(random, 1, 12) : 0;
    const float along = uniform(random, 0, full_turn);
    for (int i = 0; i < scratches; ++i) {
        const auto at = place(random, specimen, 0);
        carve_plate(specimen,
                    {rectangle(at.x, at.y, specimen.side() * uniform(random, 0.2, 2),
                               unit * uniform(random, 1.5, 5),
                               along + 0.1F * static_cast<float>(random.normal())),
                     -2 * unit, 1, 1},
                    1);
    }
    scatter_dust(specimen, random, whole(random, 0, 25), 4 * unit);
    return specimen;
}

Specimen wrinkled_skin(base::Random& random, int size) {
    const double wave = log_uniform(random, 0.5e-6, 30e-6);
    Specimen specimen(size, choose_field(random, wave, 0.03, 0.12));
    const float length = specimen.pixels(wave), heading = uniform(random, 0, full_turn);
    Grid phase(size, size), height(size, size);
    add_noise(phase, random, Wavelength(5 * length), 1.2F * length);
    add_noise(phase, random, Wavelength(1.5F * length), 0.12F * length);
    add_noise(height, random, Wavelength(6 * length), 0.5F);
    const float c = std::cos(heading), s = std::sin(heading),
                tall = length * uniform(random, 0.08, 0.25);
    for (int y = 0; y < size; ++y)
        for (int x = 0; x < size; ++x) {
            const float t =
                (c * static_cast<float>(x) + s * static_cast<float>(y) + phase(x, y)) / length;
            const float ridge = 1 - std::abs(2 * (t - std::floor(t)) - 1);
            specimen.height(x, y) = tall * (0.7F + height(x, y)) * ridge * ridge * (3 - 2 * ridge);
        }
    roughen(specimen, random, uniform(random, 0.03, 0.2), 1);
    return specimen;
}

}  // namespace

Specimen films(base::Random& random, int size) {
    const double kind = random.uniform();
    if (kind < 0.28) return grown_film(random, size);
    if (kind < 0.48) return cracked_film(random, size);
    if (kind < 0.70) return cross_section(random, size);
    if (kind < 0.88) return smooth_coating(random, size);
    return wrinkled_skin(random, size);
}

}  // namespace nanoatlas::synth::scenes
