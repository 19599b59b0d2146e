// Particles spread on a substrate: round or faceted, single or in clusters, of one size or two.
#include "synth/categories.hpp"
#include "synth/scenes/helpers.hpp"

namespace nanoatlas::synth::scenes {
namespace {

enum class Shape { sphere, crystal, rough };

class Spreader {
  public:
    Spreader(Specimen& specimen, base::Random& random, float radius)
        : specimen_(specimen),
          random_(random),
          radius_(radius),
          spread_(random.chance(0.5) ? 0.05F : uniform(random, 0.2, 0.5)),
          yield_(uniform(random, 1.2, 2.4)),
          shape_(static_cast<Shape>(random.below(3))),
          crystal_(static_cast<Crystal>(random.below(3))),
          texture_(random, {.wavelength = std::max(4.0F, radius / 2), .deviation = 1}) {}

    // One particle; it rests on what lies under it.
    void put(Point2 at) {
        const float r = std::clamp(log_normal(random_, radius_, spread_), radius_ / 4, radius_ * 3);
        float floor = 0;
        for (int k = 0; k < 5; ++k) {
            const float out = k == 0 ? 0 : 0.5F * r, turn = full_turn / 4 * static_cast<float>(k);
            floor = std::max(floor, height_at(specimen_, at.x + out * std::cos(turn),
                                              at.y + out * std::sin(turn)));
        }
        const float z = floor > 0.4F * r ? floor + 0.5F * r : r * uniform(random_, 0.8, 1);
        const auto material = textured(random_, yield_ * uniform(random_, 0.92, 1.08), texture_,
                                       shape_ == Shape::rough    ? 0.10F * r
                                       : shape_ == Shape::sphere ? 0.008F * r
                                                                 : 0);
        if (shape_ == Shape::crystal)
            add_body(specimen_, {at.x, at.y, z, r * 1.1F, crystal_faces(random_, crystal_, r)},
                     material);
        else
            add_ellipsoid(
                specimen_,
                {at.x, at.y, z, r, r * uniform(random_, 0.9, 1), r, uniform(random_, 0, full_turn)},
                material);
    }

    // A place that is still bare, if a few tries find one.
    Point2 free_place() {
        Point2 at = place(random_, specimen_, radius_);
        for (int attempt = 0; attempt < 12; ++attempt) {
            bool bare = true;
            for (int k = 0; k < 8; ++k) {
                const float turn = full_turn / 8 * static_cast<float>(k);
                bare = bare && height_at(specimen_, at.x + 1.1F * radius_ * std::cos(turn),
                                         at.y + 1.1F * radius_ * std::sin(turn)) < 0.5F * radius_;
            }
            if (bare) break;
            at = place(random_, specimen_, radius_);
        }
        return at;
    }

    // Particles stuck to one another around a centre.
    void put_cluster(Point2 centre, int count) {
        const float reach = radius_ * 1.1F * std::sqrt(static_cast<float>(count));
        for (int i = 0; i < count; ++i)
            put({centre.x + reach * 0.6F * static_cast<float>(random_.normal()),
                 centre.y + reach * 0.6F * static_cast<float>(random_.normal())});
    }

  private:
    Specimen& specimen_;
    base::Random& random_;
    float radius_, spread_, yield_;
    Shape shape_;
    Crystal crystal_;
    Texture texture_;
};

}  // namespace

Specimen particles(base::Random& random, int size) {
    const double diameter = log_uniform(random, 30e-9, 6e-6);
    Specimen specimen(size, choose_field(random, diameter, 0.018, 0.16));
    roughen(specimen, random, uniform(random, 0, 0.15), uniform(random, 0, 1.5));
    for (float& yield : specimen.yield.values()) yield = 0.85F;
    const float radius = specimen.pixels(diameter) / 2;
    Spreader spreader(specimen, random, radius);
    const float coverage = log_uniform(random, 0.04, 0.35);
    const int count = std::max(4, static_cast<int>(coverage * specimen.side() * specimen.side() /
                                                   (3.14F * radius * radius)));
    const float clustered = random.chance(0.5) ? 0 : uniform(random, 0.3, 0.95);
    for (int placed = 0; placed < count;) {
        const auto at = spreader.free_place();
        const int together =
            random.chance(clustered) ? std::min(whole(random, 2, 30), std::max(1, count / 3)) : 1;
        spreader.put_cluster(at, together);
        placed += together;
    }
    specimen.charging = random.chance(0.2) ? uniform(random, 0.2, 0.8) : 0;
    return specimen;
}

}  // namespace nanoatlas::synth::scenes
