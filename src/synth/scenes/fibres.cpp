// Long fibres that cross the whole field in layers: spun mats, aligned bundles, beaded threads, and
// woven yarn.
#include "synth/categories.hpp"
#include "synth/scenes/helpers.hpp"

namespace nanoatlas::synth::scenes {
namespace {

class Mat {
  public:
    Mat(Specimen& specimen, base::Random& random, float radius)
        : specimen_(specimen),
          random_(random),
          radius_(radius),
          texture_(random, {.wavelength = std::max(4.0F, radius), .deviation = 1}) {}

    void add(Point2 start, float heading, float bend, float z, float r) {
        const float step = std::max(6.0F * specimen_.side() / 512, 1.5F * r);
        const int steps = static_cast<int>(1.6F * specimen_.side() / step) + 2;
        auto path = wander(random_, start, heading, step, steps, bend, z, r);
        sway(path, step);
        add_tube(specimen_, path,
                 textured(random_, uniform(random_, 0.9, 1.15), texture_, rough_ * r));
    }

    float beads = 0;  ///< chance of a bead at a node
    float rough_ = 0.02F;

  private:
    // Fibres rise over one another, and some carry beads.
    void sway(std::vector<Node>& path, float step) {
        const float phase = uniform(random_, 0, full_turn);
        const float pace = step / (specimen_.side() * uniform(random_, 0.15, 0.5));
        for (std::size_t i = 0; i < path.size(); ++i) {
            path[i].z +=
                1.5F * radius_ * std::sin(phase + full_turn * pace * static_cast<float>(i));
            if (random_.chance(beads)) path[i].radius *= uniform(random_, 1.8, 3.2);
        }
    }

    Specimen& specimen_;
    base::Random& random_;
    float radius_;
    Texture texture_;
};

void spin(Specimen& specimen, base::Random& random, float radius) {
    Mat mat(specimen, random, radius);
    mat.beads = random.chance(0.2) ? uniform(random, 0.02, 0.08) : 0;
    const bool aligned = random.chance(0.3);
    const float main_heading = uniform(random, 0, full_turn);
    const float bend = log_uniform(random, 0.01, 0.12), spread = uniform(random, 0.05, 0.5);
    const float cover = uniform(random, 1.2, 3.5);
    const int count = std::clamp(static_cast<int>(cover * specimen.side() / (2 * radius)), 5, 170);
    const float depth = radius * uniform(random, 8, 20);
    for (int i = 0; i < count; ++i) {
        const float heading = aligned ? random.chance(0.8) ? random.normal() * 0.12 + main_heading
                                                           : uniform(random, 0, full_turn)
                                      : uniform(random, 0, full_turn);
        const float z = -depth * (1 - static_cast<float>(i + 1) / static_cast<float>(count));
        const auto middle = place(random, specimen, 0);
        const float back = 0.75F * specimen.side();
        mat.add({middle.x - back * std::cos(heading), middle.y - back * std::sin(heading)}, heading,
                bend, z, log_normal(random, radius, spread));
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
