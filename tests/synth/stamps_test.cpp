// Solids on a specimen: heights and areas that geometry knows.
#include "synth/stamps.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "synth/cells.hpp"

namespace nanoatlas::synth {
namespace {

constexpr int size = 128;
constexpr float pi = std::numbers::pi_v<float>;

Specimen plain() {
    return {size, 1e-6};
}

std::int64_t count_above(const Specimen& specimen, float level) {
    const auto heights = specimen.height.values();
    return std::count_if(heights.begin(), heights.end(), [=](float h) { return h > level; });
}

TEST(Stamps, put_a_ball_where_it_lies) {
    auto specimen = plain();
    add_ellipsoid(specimen, {64, 60, 20, 20, 20, 20}, {.yield = 2});
    EXPECT_FLOAT_EQ(specimen.height(64, 60), 40);
    EXPECT_FLOAT_EQ(specimen.height(64 + 12, 60), 20 + 16);
    EXPECT_FLOAT_EQ(specimen.yield(64, 60), 2);
    EXPECT_FLOAT_EQ(specimen.yield(100, 60), 1);
    EXPECT_NEAR(static_cast<double>(count_above(specimen, 0)), pi * 400, 25);
}

TEST(Stamps, turn_an_ellipsoid_about_its_middle) {
    auto specimen = plain();
    add_ellipsoid(specimen, {64, 64, 0, 40, 10, 5, pi / 4}, {});
    EXPECT_GT(specimen.height(64 + 25, 64 + 25), 0) << "along its long axis, down to the right";
    EXPECT_EQ(specimen.height(64 + 25, 64 - 25), 0);
    EXPECT_NEAR(static_cast<double>(count_above(specimen, 0)), pi * 400, 25);
}

TEST(Stamps, carve_what_ellipsoids_add) {
    auto specimen = plain();
    carve_ellipsoid(specimen, {30, 30, 0, 10, 10, 8}, 0.5F);
    EXPECT_FLOAT_EQ(specimen.height(30, 30), -8);
    EXPECT_FLOAT_EQ(specimen.yield(30, 30), 0.5F);
    EXPECT_EQ(specimen.height(45, 30), 0);
}

TEST(Stamps, draw_a_tube_as_wide_as_told_at_any_heading) {
    for (const float heading : {0.0F, 0.3F, pi / 4, 1.2F, pi / 2, 2.5F}) {
        auto specimen = plain();
        const float c = std::cos(heading), s = std::sin(heading);
        const std::vector<Node> nodes = {{64 - 40 * c, 64 - 40 * s, 3, 6},
                                         {64.3F, 64.4F, 3, 6},
                                         {64.3F + 40 * c, 64.4F + 40 * s, 3, 6}};
        add_tube(specimen, nodes, {});
        EXPECT_NEAR(specimen.height(64, 64), 9, 0.1) << heading;
        EXPECT_NEAR(static_cast<double>(count_above(specimen, 0)), 80 * 12 + pi * 36, 60)
            << heading;
    }
}

TEST(Stamps, join_the_pieces_of_a_bent_tube_without_gaps_or_bulges) {
    auto specimen = plain();
    std::vector<Node> ring;
    for (int i = 0; i <= 24; ++i) {
        const float t = 2 * pi * static_cast<float>(i) / 24;
        ring.push_back({64 + 40 * std::cos(t), 64 + 40 * std::sin(t), 0, 8});
    }
    add_tube(specimen, ring, {});
    for (int i = 0; i < 360; ++i) {
        const float t = pi * static_cast<float>(i) / 180;
        EXPECT_NEAR(height_at(specimen, 64.5F + 40 * std::cos(t), 64.5F + 40 * std::sin(t)), 8, 0.3)
            << i;
    }
}

TEST(Stamps, show_the_higher_of_two_solids_whichever_came_first) {
    const Ellipsoid low{60, 64, 5, 20, 20, 10}, high{75, 64, 20, 20, 20, 20};
    auto one = plain(), other = plain();
    add_ellipsoid(one, low, {.yield = 1.5F}), add_ellipsoid(one, high, {.yield = 2});
    add_ellipsoid(other, high, {.yield = 2}), add_ellipsoid(other, low, {.yield = 1.5F});
    EXPECT_TRUE(std::ranges::equal(one.height.values(), other.height.values()));
    EXPECT_TRUE(std::ranges::equal(one.yield.values(), other.yield.values()));
}

TEST(Stamps, cut_off_what_lies_outside_the_picture) {
    base::Random random(3);
    for (const float x : {-400.0F, -10.0F, 0.0F, 127.0F, 140.0F, 4e4F}) {
        auto specimen = plain();
        add_ellipsoid(specimen, {x, x, 0, 15, 15, 15}, {});
        add_tube(specimen, std::vector<Node>{{x, 5, 0, 4}, {x + 30, 200, 0, 4}}, {});
        add_plate(specimen, {rectangle(x, 64, 20, 300, 0.4F), 0, 5, 4}, {});
        carve_plate(specimen, {regular_polygon(64, x, 12, 6), -5, 0, 4}, 1);
        add_body(specimen, {x, x, 0, 20, crystal_faces(random, Crystal::cube, 20)}, {});
        for (const float h : specimen.height.values()) ASSERT_TRUE(std::abs(h) < 100) << x;
    }
}

TEST(Stamps, lay_plates_with_flat_tops_and_steep_walls) {
    auto specimen = plain();
    add_plate(specimen, {rectangle(64, 64, 60, 30), 0, 8, 4}, {});
    EXPECT_FLOAT_EQ(specimen.height(64, 64), 8);
    EXPECT_NEAR(specimen.height(35, 64), 4, 0.01) << "one pixel from the edge of steepness 4";
    EXPECT_EQ(specimen.height(64, 82), 0);
}

TEST(Stamps, show_the_front_wall_of_a_plate_on_a_tilted_specimen) {
    auto specimen = plain();
    specimen.tilt = 0.7F;
    add_plate(specimen, {rectangle(64, 90, 40, 20), 0, 30, 4}, {});
    const int top_edge = static_cast<int>(80 - 30 * std::sin(0.7F)) + 2;
    EXPECT_NEAR(specimen.height(64, top_edge), 30 / std::cos(0.7F), 0.5);
    EXPECT_GT(specimen.height(64, 95), specimen.height(64, 98)) << "the wall falls to the viewer";
    EXPECT_EQ(specimen.height(64, 103), 0);
}

TEST(Stamps, bound_crystals_by_their_faces) {
    base::Random random(11);
    for (const auto shape : {Crystal::cube, Crystal::octahedron, Crystal::truncated})
        for (int i = 0; i < 20; ++i) {
            auto specimen = plain();
            const auto faces = crystal_faces(random, shape, 40);
            add_body(specimen, {64, 64, 0, 60, faces}, {});
            for (int y = 0; y < size; ++y)
                for (int x = 0; x < size; ++x) {
                    const float z = specimen.height(x, y);
                    if (z <= 0) continue;
                    for (const auto& face : faces)
                        ASSERT_LE(face.nx * static_cast<float>(x - 64) +
                                      face.ny * static_cast<float>(y - 64) + face.nz * z,
                                  face.distance + 0.1F);
                }
            EXPECT_GT(specimen.height(64, 64), 20);
        }
}

TEST(Stamps, keep_splinters_within_their_radius) {
    base::Random random(5);
    for (int i = 0; i < 50; ++i) {
        auto specimen = plain();
        add_body(specimen, {64, 64, 0, 50, splinter_faces(random, 12, 30, 0.5F)}, {});
        EXPECT_GT(count_above(specimen, 0), 100);
        EXPECT_EQ(specimen.height(64 + 52, 64), 0);
    }
}

TEST(Texture, repeats_and_has_unit_deviation) {
    base::Random random(2);
    const Texture texture(random, {.wavelength = 24, .deviation = 1});
    double sum = 0, square = 0;
    for (int y = 0; y < Texture::side; ++y)
        for (int x = 0; x < Texture::side; ++x)
            sum += texture.row(y)[x], square += texture.row(y)[x] * texture.row(y)[x];
    const double n = Texture::side * Texture::side;
    EXPECT_NEAR(std::sqrt(square / n - sum * sum / n / n), 1, 0.2);
    EXPECT_EQ(texture.row(3), texture.row(3 + Texture::side));
    double seam = 0, inside = 0;
    for (int y = 0; y < Texture::side; ++y) {
        seam += std::abs(texture.row(y)[0] - texture.row(y)[Texture::side - 1]);
        inside += std::abs(texture.row(y)[100] - texture.row(y)[101]);
    }
    EXPECT_LT(seam, 2 * inside) << "no step where it meets itself";
}

TEST(Noise, has_the_deviation_and_wavelength_asked_for) {
    for (const float wavelength : {3.0F, 9.0F, 31.0F}) {
        base::Random random(7, static_cast<std::uint64_t>(wavelength));
        Grid grid(512, 512);
        add_noise(grid, random, Wavelength(wavelength), 2);
        double square = 0, product = 0;
        const int lag = static_cast<int>(2.5F * wavelength);
        for (int y = 0; y < 512; ++y)
            for (int x = 0; x + lag < 512; ++x) {
                square += grid(x, y) * grid(x, y);
                product += grid(x, y) * grid(x + lag, y);
            }
        EXPECT_NEAR(std::sqrt(square / 512 / (512 - lag)), 2, 0.25) << wavelength;
        EXPECT_LT(std::abs(product / square), 0.25) << "uncorrelated beyond two wavelengths";
    }
}

TEST(Cells, are_nearest_to_their_own_points) {
    base::Random random(1);
    const auto cells = scatter_cells(random, 200, 20, 0.8F);
    for (const float wall : cells.wall.values()) ASSERT_GE(wall, 0);
    for (const float centre : cells.centre.values()) ASSERT_LT(centre, 1.5F);
    // Each cell has one number, so the numbers change only across walls.
    for (int y = 0; y < 200; ++y)
        for (int x = 0; x + 1 < 200; ++x)
            ASSERT_TRUE(cells.number(x, y) == cells.number(x + 1, y) ||
                        std::min(cells.wall(x, y), cells.wall(x + 1, y)) < 0.11F);
}

}  // namespace
}  // namespace nanoatlas::synth
