#include "synth/stamps.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "synth/stamping.hpp"

namespace nanoatlas::synth {

using namespace stamping;

namespace {

// Squared distance from the middle in units of the radii, along a row.
struct EllipsoidRow {
    explicit EllipsoidRow(const Ellipsoid& e)
        : x(e.x),
          y(e.y),
          along_x(std::cos(e.angle) / e.radius_x),
          along_y(std::sin(e.angle) / e.radius_x),
          across_x(-std::sin(e.angle) / e.radius_y),
          across_y(std::cos(e.angle) / e.radius_y) {}
    void operator()(int row, int first, int count, float* out) const {
        const float dy = static_cast<float>(row) - y;
        for (int i = 0; i < count; ++i) {
            const float dx = static_cast<float>(first + i) - x;
            const float u = along_x * dx + along_y * dy, v = across_x * dx + across_y * dy;
            out[i] = u * u + v * v;
        }
    }
    float x, y, along_x, along_y, across_x, across_y;
};

Box box_of(const Specimen& specimen, const Ellipsoid& e) {
    const float c = std::cos(e.angle), s = std::sin(e.angle);
    const float half_x = std::hypot(c * e.radius_x, s * e.radius_y);
    const float half_y = std::hypot(s * e.radius_x, c * e.radius_y);
    return clip(specimen, e.x - half_x, e.y - half_y, e.x + half_x, e.y + half_y);
}

// How an end of a segment looks: round where the tube ends; where another segment goes on, cut off
// this far behind the joint [px], just enough to close the wedge on the outside of the bend.
struct End {
    bool round;
    float behind;
};
void add_segment(Specimen& specimen, const Node& a, const Node& b, const End& start,
                 const End& finish, const Material& material) {
    const float dx = b.x - a.x, dy = b.y - a.y, length = std::hypot(dx, dy);
    const float widest = std::max(a.radius, b.radius);
    const Box box = clip(specimen, std::min(a.x, b.x) - widest, std::min(a.y, b.y) - widest,
                         std::max(a.x, b.x) + widest, std::max(a.y, b.y) + widest);
    const float inverse = length > 1e-3F ? 1 / length : 0;
    const float ux = dx * inverse, uy = dy * inverse;
    const float low = start.round ? 0 : -start.behind * inverse;
    const float high = finish.round ? 1 : 1 + finish.behind * inverse;
    for (int y = box.top; y < box.bottom; ++y) {
        // Only the part of the row that lies within the widest radius of the line.
        Box row{box.left, y, box.right, y + 1};
        const float from_a = static_cast<float>(y) - a.y;
        if (std::abs(uy) > 0.05F) {
            const float middle = a.x + from_a * ux / uy, half = widest / std::abs(uy) + 1;
            row.left = std::max(row.left, static_cast<int>(std::max(middle - half, -1.0F)));
            row.right =
                std::min(row.right, static_cast<int>(std::min(middle + half + 1, specimen.side())));
        }
        raise(specimen, row, material, [&](int, int first, int count, float* out) {
            for (int i = 0; i < count; ++i) {
                const float px = static_cast<float>(first + i) - a.x;
                const float along = (px * ux + from_a * uy) * inverse;
                const float held = std::clamp(along, low, high);
                const float ex = px - held * dx, ey = from_a - held * dy;
                const float radius = a.radius + held * (b.radius - a.radius);
                const float rest = radius * radius - ex * ex - ey * ey;
                const bool beyond =
                    (along < low && !start.round) || (along > high && !finish.round) || rest <= 0;
                const float axis = a.z + held * (b.z - a.z);
                out[i] = beyond ? nothing : axis + std::sqrt(std::max(rest, 0.0F));
            }
        });
    }
}

// Distance of a row's pixels to the nearest side of a convex outline, positive inside.
class ConvexRow {
  public:
    explicit ConvexRow(std::span<const Point2> outline) {
        Point2 middle{0, 0};
        for (const auto& p : outline) {
            middle.x += p.x / static_cast<float>(outline.size());
            middle.y += p.y / static_cast<float>(outline.size());
        }
        for (std::size_t i = 0; i < outline.size(); ++i) {
            const auto &p = outline[i], &q = outline[(i + 1) % outline.size()];
            const float length = std::max(std::hypot(q.x - p.x, q.y - p.y), 1e-3F);
            float nx = (p.y - q.y) / length, ny = (q.x - p.x) / length;
            if (nx * (middle.x - p.x) + ny * (middle.y - p.y) < 0) nx = -nx, ny = -ny;
            sides_.push_back({nx, ny, -nx * p.x - ny * p.y});
        }
    }
    void operator()(float y, int first, int count, float* out) const {
        std::fill_n(out, count, std::numeric_limits<float>::max());
        for (const auto& side : sides_) {
            const float start = side.ny * y + side.c;
            for (int i = 0; i < count; ++i)
                out[i] = std::min(out[i], start + side.nx * static_cast<float>(first + i));
        }
    }

  private:
    struct Side {
        float nx, ny, c;
    };
    std::vector<Side> sides_;
};

Box box_of(const Specimen& specimen, std::span<const Point2> outline) {
    float left = outline[0].x, right = left, top = outline[0].y, bottom = top;
    for (const auto& p : outline) {
        left = std::min(left, p.x), right = std::max(right, p.x);
        top = std::min(top, p.y), bottom = std::max(bottom, p.y);
    }
    return clip(specimen, left, top, right, bottom);
}

void add_upright_plate(Specimen& specimen, const Plate& plate, const Material& material) {
    const ConvexRow distance(plate.outline);
    raise(specimen, box_of(specimen, plate.outline), material,
          [&](int y, int first, int count, float* out) {
              distance(static_cast<float>(y), first, count, out);
              for (int i = 0; i < count; ++i)
                  out[i] = out[i] > 0 ? std::min(plate.top, plate.base + plate.steepness * out[i])
                                      : nothing;
          });
}

}  // namespace

void add_ellipsoid(Specimen& specimen, const Ellipsoid& solid, const Material& material) {
    const EllipsoidRow square(solid);
    raise(specimen, box_of(specimen, solid), material,
          [&](int y, int first, int count, float* out) {
              square(y, first, count, out);
              for (int i = 0; i < count; ++i)
                  out[i] = out[i] < 1
                               ? solid.z + solid.radius_z * std::sqrt(std::max(1 - out[i], 0.0F))
                               : nothing;
          });
}

void carve_ellipsoid(Specimen& specimen, const Ellipsoid& hollow, float yield) {
    const EllipsoidRow square(hollow);
    lower(specimen, box_of(specimen, hollow), yield, [&](int y, int first, int count, float* out) {
        square(y, first, count, out);
        for (int i = 0; i < count; ++i)
            out[i] = out[i] < 1 ? hollow.z - hollow.radius_z * std::sqrt(std::max(1 - out[i], 0.0F))
                                : -nothing;
    });
}

void add_tube(Specimen& specimen, std::span<const Node> nodes, const Material& material) {
    const auto joint = [&](std::size_t i) -> End {
        if (i == 0 || i + 1 == nodes.size()) return {true, 0};
        const auto &p = nodes[i - 1], &q = nodes[i], &r = nodes[i + 1];
        const float ax = q.x - p.x, ay = q.y - p.y, bx = r.x - q.x, by = r.y - q.y;
        const float cosine = ax * bx + ay * by, sine = std::abs(ax * by - ay * bx);
        const float both = std::sqrt((ax * ax + ay * ay) * (bx * bx + by * by));
        const float tangent_of_half = sine / std::max(both + cosine, 0.5F * both + 1e-6F);
        return {false, 0.5F + q.radius * tangent_of_half};
    };
    End start = joint(0);
    for (std::size_t i = 0; i + 1 < nodes.size(); ++i) {
        const End finish = joint(i + 1);
        add_segment(specimen, nodes[i], nodes[i + 1], start, finish, material);
        start = finish;
    }
}

void add_plate(Specimen& specimen, const Plate& plate, const Material& material) {
    if (specimen.tilt == 0) return add_upright_plate(specimen, plate, material);
    // A wall climbs the picture by sin(tilt) for each pixel of its height.
    const float rise = std::sin(specimen.tilt), depth = plate.top - plate.base;
    const int levels = std::max(1, static_cast<int>(std::ceil(depth * rise)));
    Plate slice = plate;
    for (int level = 0; level <= levels; ++level) {
        const float z = plate.base + depth * static_cast<float>(level) / static_cast<float>(levels);
        for (std::size_t i = 0; i < slice.outline.size(); ++i)
            slice.outline[i].y = plate.outline[i].y - z * rise;
        slice.base = z - 1;
        slice.top = z / std::cos(specimen.tilt);
        slice.steepness = 1e3F;
        add_upright_plate(specimen, slice, material);
    }
}

void carve_plate(Specimen& specimen, const Plate& plate, float yield) {
    const ConvexRow distance(plate.outline);
    lower(specimen, box_of(specimen, plate.outline), yield,
          [&](int y, int first, int count, float* out) {
              distance(static_cast<float>(y), first, count, out);
              for (int i = 0; i < count; ++i)
                  out[i] = out[i] > 0 ? std::max(plate.base, plate.top - plate.steepness * out[i])
                                      : -nothing;
          });
}

std::vector<Point2> rectangle(float x, float y, float width, float height, float angle) {
    const float c = std::cos(angle), s = std::sin(angle);
    std::vector<Point2> corners;
    for (const auto& [u, v] : {Point2{-1, -1}, Point2{1, -1}, Point2{1, 1}, Point2{-1, 1}}) {
        const float dx = u * width / 2, dy = v * height / 2;
        corners.push_back({x + c * dx - s * dy, y + s * dx + c * dy});
    }
    return corners;
}

std::vector<Point2> regular_polygon(float x, float y, float radius, int corners, float angle) {
    std::vector<Point2> outline;
    for (int i = 0; i < corners; ++i) {
        const float turn = angle + 2 * std::numbers::pi_v<float> * static_cast<float>(i) /
                                       static_cast<float>(corners);
        outline.push_back({x + radius * std::cos(turn), y + radius * std::sin(turn)});
    }
    return outline;
}

Material textured(base::Random& random, float yield, const Texture& texture, float roughness) {
    return {yield, &texture, roughness, static_cast<int>(random.below(Texture::side)),
            static_cast<int>(random.below(Texture::side))};
}

float height_at(const Specimen& specimen, float x, float y) {
    const int last = specimen.size() - 1;
    return specimen.height(std::clamp(static_cast<int>(x), 0, last),
                           std::clamp(static_cast<int>(y), 0, last));
}

}  // namespace nanoatlas::synth
