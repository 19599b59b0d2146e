// Lithographed periodic surfaces: holes, pillars, domes, pyramids, rings and gratings on square,
// hexagonal or oblong lattices, with a few defects; pillars also at a tilt.
#include "synth/categories.hpp"
#include "synth/scenes/helpers.hpp"

namespace nanoatlas::synth::scenes {
namespace {

enum class Motif { hole, pillar, dome, pyramid, ring, square, cross };

struct Lattice {
    Point2 origin, a, b;  ///< a and b span the unit cell [px]
    float pitch, angle;
};

Lattice choose_lattice(base::Random& random, const Specimen& specimen, float pitch) {
    const float angle = random.chance(0.6) ? uniform(random, -0.06, 0.06) : uniform(random, 0, 1.5);
    const double kind = random.uniform();
    const float between = kind < 0.45 ? full_turn / 6 : full_turn / 4;
    const float ratio = kind > 0.85 ? uniform(random, 1.3, 2) : 1;
    return {place(random, specimen, 0),
            {pitch * std::cos(angle), pitch * std::sin(angle)},
            {ratio * pitch * std::cos(angle + between), ratio * pitch * std::sin(angle + between)},
            pitch,
            angle};
}

class Printer {
  public:
    Printer(Specimen& specimen, base::Random& random, const Lattice& lattice)
        : specimen_(specimen),
          random_(random),
          lattice_(lattice),
          motif_(static_cast<Motif>(random.below(7))),
          radius_(lattice.pitch * uniform(random, 0.22, 0.42)),
          tall_(lattice.pitch * uniform(random, 0.25, 0.9)),
          wobble_(random.chance(0.5) ? 0 : uniform(random, 0, 0.06)),
          yield_(uniform(random, 0.8, 1.6)),
          corners_(random.chance(0.5) ? 24 : whole(random, 4, 8)) {
        if (motif_ == Motif::hole && specimen.tilt > 0) motif_ = Motif::pillar;
    }

    void print(Point2 at) {
        const float r = radius_ * (1 + wobble_ * static_cast<float>(random_.normal()));
        const float turn = lattice_.angle;
        const Material material{.yield = yield_};
        switch (motif_) {
            case Motif::hole:
                carve_plate(specimen_,
                            {regular_polygon(at.x, at.y, r, corners_, turn), -tall_, 0, 8},
                            yield_ * 0.6F);
                break;
            case Motif::pillar:
                post(at, r);
                break;
            case Motif::dome:
                add_ellipsoid(specimen_, {at.x, at.y, 0, r, r, 0.7F * r}, material);
                break;
            case Motif::pyramid:
                add_plate(specimen_, {rectangle(at.x, at.y, 2 * r, 2 * r, turn), 0, tall_, 0.9F},
                          material);
                break;
            case Motif::ring:
                add_plate(specimen_, {regular_polygon(at.x, at.y, r, 24, 0), 0, 0.4F * tall_, 6},
                          material);
                carve_plate(specimen_, {regular_polygon(at.x, at.y, 0.6F * r, 24, 0), 0, tall_, 6},
                            1);
                break;
            case Motif::square:
                add_plate(specimen_,
                          {rectangle(at.x, at.y, 1.8F * r, 1.8F * r, turn), 0, 0.4F * tall_, 6},
                          material);
                break;
            case Motif::cross:
                for (const float quarter : {0.0F, full_turn / 4})
                    add_plate(specimen_,
                              {rectangle(at.x, at.y, 2.2F * r, 0.7F * r, turn + quarter), 0,
                               0.4F * tall_, 6},
                              material);
                break;
        }
    }

  private:
    void post(Point2 at, float r) {
        const float flatten = std::cos(specimen_.tilt);
        auto outline = regular_polygon(0, 0, r, corners_, lattice_.angle);
        for (auto& p : outline) p = {at.x + p.x, at.y + p.y * flatten};
        add_plate(specimen_, {outline, 0, specimen_.tilt > 0 ? 1.6F * tall_ : 0.7F * tall_, 8},
                  {.yield = yield_});
    }

    Specimen& specimen_;
    base::Random& random_;
    Lattice lattice_;
    Motif motif_;
    float radius_, tall_, wobble_, yield_;
    int corners_;
};

void print_lattice(Specimen& specimen, base::Random& random, float pitch) {
    Lattice lattice = choose_lattice(random, specimen, pitch);
    const float flatten = std::cos(specimen.tilt);
    Printer printer(specimen, random, lattice);
    const float missing = random.chance(0.35) ? uniform(random, 0.005, 0.05) : 0;
    const int reach = static_cast<int>(1.8F * specimen.side() / pitch / flatten) + 2;
    const float margin = 1.5F * pitch + specimen.side() * 0.2F * std::sin(specimen.tilt);
    for (int j = -reach; j <= reach; ++j)
        for (int i = -reach; i <= reach; ++i) {
            const auto u = static_cast<float>(i), v = static_cast<float>(j);
            const Point2 at{lattice.origin.x + u * lattice.a.x + v * lattice.b.x,
                            (lattice.origin.y + u * lattice.a.y + v * lattice.b.y) * flatten};
            const bool outside = at.x < -margin || at.y < -margin ||
                                 at.x > specimen.side() + margin ||
                                 at.y > specimen.side() + 3 * margin;
            if (!outside && !random.chance(missing)) printer.print(at);
        }
}

void print_grating(Specimen& specimen, base::Random& random, float pitch) {
    const float angle =
        random.chance(0.6) ? uniform(random, -0.05, 0.05) + (random.chance(0.5) ? 0 : full_turn / 4)
                           : uniform(random, 0, 3.1);
    const float duty = uniform(random, 0.3, 0.65), tall = pitch * uniform(random, 0.2, 0.7);
    const float yield = uniform(random, 0.9, 1.6), c = std::cos(angle), s = std::sin(angle);
    const float middle = specimen.side() / 2, reach = 0.75F * specimen.side();
    const bool crossed = random.chance(0.25);
    for (float t = -reach; t < reach; t += pitch) {
        add_plate(
            specimen,
            {rectangle(middle - s * t, middle + c * t, 2 * reach, duty * pitch, angle), 0, tall, 6},
            {.yield = yield});
        if (crossed)
            add_plate(specimen,
                      {rectangle(middle + c * t, middle + s * t, duty * pitch, 2 * reach, angle), 0,
                       tall, 6},
                      {.yield = yield});
    }
}

}  // namespace

Specimen patterned(base::Random& random, int size) {
    const double pitch = log_uniform(random, 150e-9, 20e-6);
    Specimen specimen(size, choose_field(random, pitch, 0.03, 0.2));
    const bool grating = random.chance(0.22);
    if (!grating && random.chance(0.3)) specimen.tilt = uniform(random, 0.3, 0.8);
    if (grating)
        print_grating(specimen, random, specimen.pixels(pitch));
    else
        print_lattice(specimen, random, specimen.pixels(pitch));
    roughen(specimen, random, uniform(random, 0.02, 0.25), random.chance(0.3) ? 1.5F : 0);
    scatter_dust(specimen, random, random.chance(0.4) ? whole(random, 1, 12) : 0,
                 specimen.side() / 120);
    specimen.charging = random.chance(0.25) ? uniform(random, 0.1, 0.6) : 0;
    return specimen;
}

}  // namespace nanoatlas::synth::scenes
