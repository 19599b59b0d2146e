// Micro-electromechanical devices and electrodes: comb drives on springs, interdigitated fingers,
// cantilevers, coils, pads with leads; straight edges, few heights, metal brighter than oxide.
#include "synth/categories.hpp"
#include "synth/scenes/helpers.hpp"

namespace nanoatlas::synth::scenes {
namespace {

// Draws in the device's own axes, in units of one line width.
class Device {
  public:
    Device(Specimen& specimen, base::Random& random, float unit)
        : specimen_(specimen),
          random_(random),
          unit_(unit),
          metal_(uniform(random, 1.2, 2.1)),
          tall_(unit * uniform(random, 0.25, 1.0)),
          turn_((random.chance(0.5) ? 0 : full_turn / 4) + uniform(random, -0.03, 0.03)),
          origin_{specimen.side() * uniform(random, 0.35, 0.65),
                  specimen.side() * uniform(random, 0.35, 0.65)} {
        if (random.chance(0.25)) turn_ += full_turn / 8;
    }

    void bar(float x, float y, float width, float height, float z = 1) {
        add_plate(specimen_, {outline(x, y, width, height), 0, z * tall_, 6}, {.yield = metal_});
    }
    void hole(float x, float y, float side) {
        carve_plate(specimen_, {outline(x, y, side, side), 0, tall_, 6}, 0.5F);
    }
    void disc(float x, float y, float radius, float z) {
        auto polygon = regular_polygon(0, 0, radius, 28);
        for (auto& p : polygon) p = map(x + p.x, y + p.y);
        add_plate(specimen_, {polygon, 0, z * tall_, 6}, {.yield = metal_});
    }
    float reach() const { return 0.8F * specimen_.side() / unit_; }
    base::Random& random() { return random_; }

  private:
    Point2 map(float x, float y) const {
        const float c = std::cos(turn_), s = std::sin(turn_);
        return {origin_.x + unit_ * (c * x - s * y),
                (origin_.y + unit_ * (s * x + c * y)) * std::cos(specimen_.tilt)};
    }
    std::vector<Point2> outline(float x, float y, float width, float height) const {
        std::vector<Point2> corners = rectangle(x, y, width, height);
        for (auto& p : corners) p = map(p.x, p.y);
        return corners;
    }

    Specimen& specimen_;
    base::Random& random_;
    float unit_, metal_, tall_, turn_;
    Point2 origin_;
};

// Two combs whose fingers interleave, the moving one on a perforated mass with folded springs.
void comb_drive(Device& device) {
    auto& random = device.random();
    const int fingers = whole(random, 6, 16);
    const float length = uniform(random, 8, 16), overlap = length * uniform(random, 0.4, 0.75);
    const float width = 4.0F * static_cast<float>(fingers), mass = uniform(random, 6, 12);
    for (const float side : {-1.0F, 1.0F}) {
        const float spine = side * (mass / 2 + 2 * length - overlap + 2);
        device.bar(0, spine, width + 6, 4, 1.1F);
        for (int i = 0; i < fingers; ++i) {
            const float x = (static_cast<float>(i) - static_cast<float>(fingers - 1) / 2) * 4;
            device.bar(x, side * (mass / 2 + length / 2), 1.1F, length);
            device.bar(x + 2, spine - side * (2 + length / 2), 1.1F, length);
        }
    }
    device.bar(0, 0, width, mass);
    for (float x = -width / 2 + 3; x < width / 2 - 2; x += 4.5F)
        for (float y = -mass / 2 + 2.5F; y < mass / 2 - 1; y += 4) device.hole(x, y, 1.6F);
    for (const float side : {-1.0F, 1.0F}) {
        for (const float y : {-0.3F, 0.3F}) device.bar(side * (width / 2 + 9), y * mass, 18, 0.8F);
        device.bar(side * (width / 2 + 18), 0, 3, mass + 4, 1.1F);
        device.bar(side * (width / 2 + 24), 0, 12, 14, 1.2F);
    }
}

void interdigitated(Device& device) {
    auto& random = device.random();
    const int fingers = whole(random, 6, 26);
    const float gap = uniform(random, 0.7, 2.2), length = uniform(random, 18, 50), pitch = 1 + gap;
    const float width = pitch * static_cast<float>(2 * fingers);
    for (int i = 0; i < 2 * fingers; ++i) {
        const float x = (static_cast<float>(i) + 0.5F) * pitch - width / 2;
        device.bar(x, i % 2 == 0 ? -1.5F : 1.5F, 1, length);
    }
    for (const float side : {-1.0F, 1.0F}) {
        device.bar(0, side * (length / 2 + 3), width + 4, 4);
        device.bar(side * width * 0.3F, side * (length / 2 + 25), 8, 42);
        device.bar(side * width * 0.3F, side * (length / 2 + 50), 36, 26);
    }
}

void cantilevers(Device& device) {
    auto& random = device.random();
    const float reach = device.reach(), length = uniform(random, 14, 34);
    const float width = uniform(random, 2.5, 6), pitch = width * uniform(random, 1.6, 2.8);
    device.bar(0, -reach / 2 - 4, 3 * reach, reach, 1.3F);
    const float grow = random.chance(0.5) ? 0 : uniform(random, 0.02, 0.06);
    int k = 0;
    for (float x = -reach; x < reach; x += pitch, ++k) {
        const float own = length * (0.6F + grow * static_cast<float>(k));
        device.bar(x, own / 2 - 4, width, own + 2, 1.2F);
        if (random.chance(0.2)) device.disc(x, own - 4, width * 0.7F, 1.2F);
    }
}

// A square spiral with a lead to its pad.
void coil(Device& device) {
    auto& random = device.random();
    const int sides = 4 * whole(random, 3, 8);
    const float pitch = uniform(random, 2, 3.2);
    Point2 at{0, 0};
    for (int k = 0; k < sides; ++k) {
        const int turn = k / 2 + 1;
        const float length = pitch * static_cast<float>(turn);
        const float sign = k % 4 < 2 ? 1 : -1;
        const Point2 next =
            k % 2 == 0 ? Point2{at.x + sign * length, at.y} : Point2{at.x, at.y + sign * length};
        device.bar((at.x + next.x) / 2, (at.y + next.y) / 2, std::abs(next.x - at.x) + 1,
                   std::abs(next.y - at.y) + 1);
        at = next;
    }
    device.bar(at.x - 15, at.y, 31, 1.4F);
    device.bar(at.x - 38, at.y, 16, 16, 1.2F);
    device.bar(0, 0, 3, 3, 1.3F);
}

// A disc with release holes, held by four folded springs.
void resonator(Device& device) {
    auto& random = device.random();
    const float radius = uniform(random, 9, 17);
    device.disc(0, 0, radius, 1);
    for (int ring = 1; static_cast<float>(ring) * 3.5F < radius - 1.5F; ++ring)
        for (int k = 0; k < 6 * ring; ++k) {
            const float turn = full_turn * static_cast<float>(k) / static_cast<float>(6 * ring);
            const float out = 3.5F * static_cast<float>(ring);
            device.hole(out * std::cos(turn), out * std::sin(turn), 1.3F);
        }
    device.disc(0, 0, 1.5F, 1.4F);
    const float arm = uniform(random, 6, 14);
    for (const float side : {-1.0F, 1.0F}) {
        device.bar(side * (radius + arm / 2), 0, arm + 2, 1);
        device.bar(side * (radius + arm), side * arm / 2, 1, arm + 1);
        device.bar(side * (radius + arm + 5), side * arm, 12, 9, 1.2F);
        device.bar(0, side * (radius + arm / 2), 1, arm + 2);
        device.bar(-side * arm / 2, side * (radius + arm), arm + 1, 1);
        device.bar(-side * arm, side * (radius + arm + 5), 9, 12, 1.2F);
    }
}

void pads_with_leads(Device& device) {
    auto& random = device.random();
    const int leads = whole(random, 3, 9);
    const float pitch = uniform(random, 3, 6), pad = uniform(random, 12, 20);
    for (int i = 0; i < leads; ++i) {
        const float k = static_cast<float>(i) - static_cast<float>(leads - 1) / 2;
        const float inner = k * pitch, outer = k * (pad + 4), side = i % 2 == 0 ? -1.0F : 1.0F;
        device.bar(inner, side * 11, 1, 22);
        device.bar((inner + outer) / 2, side * 22, std::abs(outer - inner) + 1.2F, 1.2F);
        device.bar(outer, side * 28, 1.4F, 13);
        device.bar(outer, side * (34 + pad / 2), pad, pad, 1.1F);
    }
    if (random.chance(0.7)) device.bar(0, 0, pitch * static_cast<float>(leads) + 8, 2.4F, 0.6F);
    if (random.chance(0.5)) device.disc(0, 0, uniform(random, 3, 7), 0.8F);
}

}  // namespace

Specimen mems(base::Random& random, int size) {
    const double line = log_uniform(random, 0.5e-6, 12e-6);
    Specimen specimen(size, choose_field(random, line, 0.008, 0.032));
    if (random.chance(0.35)) specimen.tilt = uniform(random, 0.2, 0.7);
    for (float& yield : specimen.yield.values()) yield = 0.7F;
    Device device(specimen, random, specimen.pixels(line));
    using Draw = void (*)(Device&);
    constexpr std::array<Draw, 6> devices = {comb_drive, interdigitated, cantilevers,
                                             resonator,  coil,           pads_with_leads};
    devices[random.below(devices.size())](device);
    roughen(specimen, random, uniform(random, 0.02, 0.18), random.chance(0.3) ? 1 : 0);
    scatter_dust(specimen, random, random.chance(0.5) ? whole(random, 1, 20) : 0,
                 specimen.side() / 130);
    specimen.charging = random.chance(0.4) ? uniform(random, 0.1, 0.8) : 0;
    return specimen;
}

}  // namespace nanoatlas::synth::scenes
