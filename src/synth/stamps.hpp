// Solids put onto a specimen one by one: where a solid stands higher than what is there, it is what
// the beam sees. Lengths in pixels of the picture, z towards the gun.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "synth/noise.hpp"
#include "synth/specimen.hpp"

namespace nanoatlas::synth {

struct Material {
    float yield = 1;
    const Texture* texture = nullptr;
    float roughness = 0;             ///< standard deviation of the texture on the surface [px]
    int offset_x = 0, offset_y = 0;  ///< into the texture
};

struct Point2 {
    float x, y;
};

/// The upper half of an ellipsoid, turned by `angle` [rad] about z.
struct Ellipsoid {
    float x, y, z;
    float radius_x, radius_y, radius_z;
    float angle = 0;
};
void add_ellipsoid(Specimen& specimen, const Ellipsoid& solid, const Material& material);
/// Its lower half cut out of what is there: an open pore whose rim lies at z.
void carve_ellipsoid(Specimen& specimen, const Ellipsoid& hollow, float yield);

/// A tube of round section through nodes; radius and height change linearly between them.
struct Node {
    float x, y, z, radius;
};
void add_tube(Specimen& specimen, std::span<const Node> nodes, const Material& material);

/// A plate with a convex outline (corners in either order) and walls of the given steepness
/// (height over width), lying between `base` and `top`. On a tilted specimen the wall that faces
/// the detector is seen.
struct Plate {
    std::vector<Point2> outline;
    float base, top;
    float steepness = 4;
};
void add_plate(Specimen& specimen, const Plate& plate, const Material& material);
/// The same outline cut down from `top` to `base`.
void carve_plate(Specimen& specimen, const Plate& plate, float yield);

std::vector<Point2> rectangle(float x, float y, float width, float height, float angle = 0);
std::vector<Point2> regular_polygon(float x, float y, float radius, int corners, float angle = 0);

/// A convex body bounded by planes normal . (p - centre) <= distance.
struct Face {
    float nx, ny, nz, distance;
};
struct Body {
    float x, y, z;  ///< centre
    float reach;    ///< radius of a sphere around it
    std::vector<Face> faces;
};
void add_body(Specimen& specimen, const Body& body, const Material& material);

/// Faces of a body turned at random: the cube (6), octahedron (8), truncated octahedron (14).
enum class Crystal { cube, octahedron, truncated };
std::vector<Face> crystal_faces(base::Random& random, Crystal shape, float radius);
/// A splinter: planes in random directions at 0.6 to 1 of the radius; flatness below 1 squeezes it.
std::vector<Face> splinter_faces(base::Random& random, int planes, float radius, float flatness);

/// A random offset into a texture, so that no two solids show the same roughness.
Material textured(base::Random& random, float yield, const Texture& texture, float roughness);

/// Height at a point, clamped into the picture.
float height_at(const Specimen& specimen, float x, float y);

}  // namespace nanoatlas::synth
