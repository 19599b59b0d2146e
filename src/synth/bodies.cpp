#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "synth/stamping.hpp"

namespace nanoatlas::synth {

using namespace stamping;

namespace {

using Direction = std::array<float, 3>;

Direction random_direction(base::Random& random) {
    const auto z = static_cast<float>(random.uniform(-1, 1));
    const auto turn = static_cast<float>(random.uniform(0, 2 * std::numbers::pi));
    const float r = std::sqrt(1 - z * z);
    return {r * std::cos(turn), r * std::sin(turn), z};
}

Direction cross(const Direction& a, const Direction& b) {
    return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

// Three orthogonal unit vectors in random position.
std::array<Direction, 3> random_frame(base::Random& random) {
    const Direction a = random_direction(random);
    Direction b = cross(a, random_direction(random));
    const float length = std::max(std::hypot(b[0], b[1], b[2]), 1e-4F);
    for (float& v : b) v /= length;
    return {a, b, cross(a, b)};
}

}  // namespace

void add_body(Specimen& specimen, const Body& body, const Material& material) {
    const Box box = clip(specimen, body.x - body.reach, body.y - body.reach, body.x + body.reach,
                         body.y + body.reach);
    std::vector<float> under(static_cast<std::size_t>(std::max(0, box.right - box.left)));
    raise(specimen, box, material, [&](int y, int first, int count, float* out) {
        std::fill_n(out, count, body.reach);
        std::fill_n(under.begin(), count, -body.reach);
        const float dy = static_cast<float>(y) - body.y;
        for (const auto& face : body.faces) {
            // Solve the plane for z: an upper bound where it faces up, a lower one where down.
            const float nz = std::abs(face.nz) < 1e-3F ? 1e-3F : face.nz;
            const float slope = -face.nx / nz;
            const float start = (face.distance - face.ny * dy + face.nx * body.x) / nz;
            float* bound = under.data();
            if (nz > 0)
                for (int i = 0; i < count; ++i)
                    out[i] = std::min(out[i], start + slope * static_cast<float>(first + i));
            else
                for (int i = 0; i < count; ++i)
                    bound[i] = std::max(bound[i], start + slope * static_cast<float>(first + i));
        }
        for (int i = 0; i < count; ++i)
            out[i] = out[i] > under[static_cast<std::size_t>(i)] ? body.z + out[i] : nothing;
    });
}

std::vector<Face> crystal_faces(base::Random& random, Crystal shape, float radius) {
    const auto frame = random_frame(random);
    std::vector<Face> faces;
    const auto add = [&](float i, float j, float k, float distance) {
        const float norm = std::sqrt(i * i + j * j + k * k);
        Direction n;
        for (std::size_t c = 0; c < 3; ++c)
            n[c] = (i * frame[0][c] + j * frame[1][c] + k * frame[2][c]) / norm;
        faces.push_back({n[0], n[1], n[2], distance});
    };
    for (const float sign : {-1.0F, 1.0F}) {
        if (shape != Crystal::octahedron) {
            const float distance = radius * (shape == Crystal::cube ? 0.62F : 0.85F);
            add(sign, 0, 0, distance), add(0, sign, 0, distance), add(0, 0, sign, distance);
        }
        if (shape != Crystal::cube)
            for (int k = 0; k < 4; ++k)
                add(sign, (k & 1) != 0 ? 1.0F : -1.0F, (k & 2) != 0 ? 1.0F : -1.0F,
                    radius * (shape == Crystal::octahedron ? 0.58F : 0.76F));
    }
    return faces;
}

std::vector<Face> splinter_faces(base::Random& random, int planes, float radius, float flatness) {
    const auto frame = random_frame(random);
    std::vector<Face> faces;
    // The six sides of a box keep it closed; the rest break its corners.
    for (std::size_t axis = 0; axis < 3; ++axis)
        for (const float sign : {-1.0F, 1.0F}) {
            const auto& n = frame[axis];
            const auto share =
                static_cast<float>(random.uniform(0.6, 0.95)) * (axis == 2 ? flatness : 1.0F);
            faces.push_back({sign * n[0], sign * n[1], sign * n[2], radius * share});
        }
    for (int i = 6; i < planes; ++i) {
        const auto n = random_direction(random);
        faces.push_back({n[0], n[1], n[2], radius * static_cast<float>(random.uniform(0.55, 0.9))});
    }
    return faces;
}

}  // namespace nanoatlas::synth
