// A heap of powder that fills the field: broken, rounded, platy or agglomerated grains of many
// sizes, the small ones in the gaps and on the large ones.
#include "synth/categories.hpp"
#include "synth/cells.hpp"
#include "synth/scenes/helpers.hpp"

namespace nanoatlas::synth::scenes {
namespace {

enum class Grain { broken, rounded, ball, plate, agglomerate };

class Heap {
  public:
    Heap(Specimen& specimen, base::Random& random, float radius)
        : specimen_(specimen),
          random_(random),
          kind_(static_cast<Grain>(random.below(5))),
          roughness_(uniform(random, 0.01, 0.07)),
          fine_(random, {.wavelength = std::max(4.0F, radius * 0.5F), .deviation = 1}) {}

    void add(Point2 at, float r) {
        const float floor = height_at(specimen_, at.x, at.y);
        const float z = floor + r * uniform(random_, -0.3, 0.35);
        const auto material = textured(random_, uniform(random_, 0.9, 1.15), fine_, roughness_ * r);
        switch (kind_) {
            case Grain::broken:
                add_body(
                    specimen_,
                    {at.x, at.y, z, r * 1.2F,
                     splinter_faces(random_, whole(random_, 9, 16), r, uniform(random_, .5, 1))},
                    material);
                break;
            case Grain::plate:
                add_body(specimen_,
                         {at.x, at.y, z, r * 1.3F,
                          splinter_faces(random_, 10, r * 1.2F, uniform(random_, 0.1, 0.25))},
                         material);
                break;
            case Grain::ball:
                add_ellipsoid(specimen_, {at.x, at.y, z, r, r, r}, material);
                break;
            case Grain::rounded:
                add_ellipsoid(specimen_,
                              {at.x, at.y, z, r, r * uniform(random_, 0.6, 1), r * 0.9F,
                               uniform(random_, 0, full_turn)},
                              material);
                break;
            case Grain::agglomerate:
                agglomerate(at, z, r, material);
                break;
        }
    }

  private:
    // A ball of primary crystallites, as battery cathodes are made of.
    void agglomerate(Point2 at, float z, float r, const Material& material) {
        add_ellipsoid(specimen_, {at.x, at.y, z, r, r, r}, material);
        const float primary = std::max(1.5F, r * 0.16F);
        const int count = std::clamp(static_cast<int>(1.6F * r * r / (primary * primary)), 4, 90);
        for (int i = 0; i < count; ++i) {
            const float out = r * std::sqrt(uniform(random_, 0, 0.97));
            const float turn = uniform(random_, 0, full_turn);
            const float up = std::sqrt(std::max(0.0F, r * r - out * out));
            const float size = primary * uniform(random_, 0.6, 1.3);
            add_ellipsoid(specimen_,
                          {at.x + out * std::cos(turn), at.y + out * std::sin(turn), z + up, size,
                           size * uniform(random_, 0.5, 1), size, uniform(random_, 0, full_turn)},
                          material);
        }
    }

    Specimen& specimen_;
    base::Random& random_;
    Grain kind_;
    float roughness_;
    Texture fine_;
};

// Grains deep in the heap: round tops of cells, in the shade of those above.
void lay_bottom(Specimen& specimen, base::Random& random, float radius) {
    const auto cells = scatter_cells(random, specimen.size(), 1.3F * radius, 1);
    for (std::size_t i = 0; i < cells.centre.values().size(); ++i) {
        const float out = cells.centre.values()[i];
        specimen.height.values()[i] =
            radius * (-2 - 4 * out * out + 0.5F * cells.number.values()[i]);
        specimen.yield.values()[i] = 0.5F;
    }
    add_noise(specimen.height, random, Wavelength(5 * radius), 0.7F * radius);
}

}  // namespace

Specimen powder(base::Random& random, int size) {
    const double diameter = log_uniform(random, 0.5e-6, 60e-6);
    Specimen specimen(size, choose_field(random, diameter, 0.025, 0.22));
    const float radius = specimen.pixels(diameter) / 2;
    lay_bottom(specimen, random, radius);
    Heap heap(specimen, random, radius);
    const float spread = uniform(random, 0.15, 0.6);
    const float area = specimen.side() * specimen.side();
    const int large =
        static_cast<int>(uniform(random, 1.3, 2.2) * area / (3.14F * radius * radius));
    for (int i = 0; i < large; ++i) {
        const float r = std::clamp(log_normal(random, radius, spread), radius / 4, radius * 2.2F);
        heap.add(place(random, specimen, r), r);
    }
    const int small = random.chance(0.6) ? std::min(large * whole(random, 1, 5), 1500) : 0;
    for (int i = 0; i < small; ++i)
        heap.add(place(random, specimen, 0), std::max(1.2F, radius * uniform(random, 0.06, 0.25)));
    specimen.charging = random.chance(0.45) ? uniform(random, 0.2, 1) : 0;
    return specimen;
}

}  // namespace nanoatlas::synth::scenes
