// Long fibres that cross the whole field in layers: spun mats, aligned bundles, beaded threads, and
// woven yarn.
#include "synth/categories.hpp"
#include "synth/scenes/helpers.hpp"

namespace nanoatlas::synth::scenes {
namespace {

class Mat {
  public:
    Mat(Specimen& specimen, base::Random& random, float radius, float bend, bool beaded)
        : specimen_(specimen),
          random_(random),
          radius_(radius),
          bend_(bend),
          beads_(beaded ? uniform(random, 0.01, 0.05) : 0),
          rough_(uniform(random, 0, 0.05)),
          texture_(random, {.wavelength = std::max(4.0F, radius), .deviation = 1}) {}

    // A fibre through a point of the field, going on beyond it both ways.
    void add(Point2 through, float heading, float z, float r) {
        const float step = std::max(5.0F * specimen_.side() / 512, 0.6F * r);
        const int steps = static_cast<int>(1.5F * specimen_.side() / step) + 2;
        auto path = wander(random_, through, heading, step, steps, bend_, z, r);
        const auto back =
            wander(random_, through, heading + full_turn / 2, step, steps, bend_, z, r);
        path.insert(path.begin(), back.rbegin(), back.rend() - 1);
        const float phase = uniform(random_, 0, full_turn);
        const float pace = full_turn * step / (specimen_.side() * uniform(random_, 0.2, 0.6));
        for (std::size_t i = 0; i < path.size(); ++i)
            path[i].z += 1.5F * radius_ * std::sin(phase + pace * static_cast<float>(i));
        const auto material = textured(random_, uniform(random_, 0.9, 1.15), texture_, rough_ * r);
        add_tube(specimen_, path, material);
        for (std::size_t i = 1; i < path.size(); ++i)
            if (random_.chance(beads_)) add_bead(path[i - 1], path[i], material);
    }

  private:
    // A drop that solidified on the thread, drawn out along it.
    void add_bead(const Node& before, const Node& at, const Material& material) {
        const float r = at.radius * uniform(random_, 1.7, 3);
        add_ellipsoid(specimen_,
                      {at.x, at.y, at.z, r * uniform(random_, 1.2, 2), r, r,
                       std::atan2(at.y - before.y, at.x - before.x)},
                      material);
    }

    Specimen& specimen_;
    base::Random& random_;
    float radius_, bend_, beads_, rough_;
    Texture texture_;
};

void spin(Specimen& specimen, base::Random& random, float radius) {
    Mat mat(specimen, random, radius, log_uniform(random, 0.01, 0.12), random.chance(0.2));
    const float aligned = random.chance(0.3) ? 0.8F : 0,
                main_heading = uniform(random, 0, full_turn);
    const float spread = uniform(random, 0.05, 0.5), cover = uniform(random, 1.2, 3.5);
    const int count = std::clamp(static_cast<int>(cover * specimen.side() / (2 * radius)), 5, 170);
    const float depth = radius * uniform(random, 8, 20);
    for (int i = 0; i < count; ++i) {
        const float heading = random.chance(aligned)
                                  ? main_heading + 0.12F * static_cast<float>(random.normal())
                                  : uniform(random, 0, full_turn);
        const float z = -depth * (1 - static_cast<float>(i + 1) / static_cast<float>(count));
        mat.add(place(random, specimen, 0), heading, z, log_normal(random, radius, spread));
    }
}

// Plain weave: bundles of filaments that go over and under those across.
void weave(Specimen& specimen, base::Random& random, float radius) {
    const Texture texture(random, {.wavelength = 16, .deviation = 1});
    const int filaments = whole(random, 4, 9);
    const float yarn = radius * 1.7F * static_cast<float>(filaments);
    const float pitch = yarn * uniform(random, 1.05, 1.5);
    const float turn = uniform(random, -0.5, 0.5), c = std::cos(turn), s = std::sin(turn);
    const float reach = specimen.side() * 0.75F, middle = specimen.side() / 2;
    const float step = pitch / 6;
    for (int direction = 0; direction < 2; ++direction)
        for (int k = 0; static_cast<float>(k) * pitch < 2 * reach; ++k)
            for (int f = 0; f < filaments; ++f) {
                const float across =
                    (static_cast<float>(f) + 0.5F) / static_cast<float>(filaments) - 0.5F;
                const float side = static_cast<float>(k) * pitch - reach + across * yarn +
                                   radius * uniform(random, -0.6, 0.6);
                std::vector<Node> path;
                const float crown = yarn * 0.35F * std::sqrt(1 - 3 * across * across);
                for (float t = -reach; t <= reach; t += step) {
                    const float wave = std::cos(
                        full_turn / 2 * ((t + reach) / pitch + static_cast<float>(k + direction)));
                    const float u = direction == 0 ? t : side, v = direction == 0 ? side : t;
                    path.push_back({middle + c * u - s * v, middle + s * u + c * v,
                                    crown + wave * yarn * 0.3F, radius});
                }
                add_tube(specimen, path,
                         textured(random, uniform(random, 0.9, 1.1), texture, 0.03F * radius));
            }
}

}  // namespace

Specimen fibres(base::Random& random, int size) {
    const double diameter = log_uniform(random, 0.15e-6, 20e-6);
    const bool woven = random.chance(0.15);
    Specimen specimen(size, woven ? choose_field(random, diameter, 0.012, 0.035)
                                  : choose_field(random, diameter, 0.01, 0.09));
    const float radius = specimen.pixels(diameter) / 2;
    for (float& height : specimen.height.values()) height = -25 * radius;
    add_noise(specimen.height, random, Wavelength(12 * radius), 3 * radius);
    for (float& yield : specimen.yield.values()) yield = 0.6F;
    if (woven)
        weave(specimen, random, radius);
    else
        spin(specimen, random, radius);
    specimen.charging = random.chance(0.4) ? uniform(random, 0.2, 0.9) : 0;
    return specimen;
}

}  // namespace nanoatlas::synth::scenes
