// The model of the microscope: each mechanism of contrast by itself.
#include "synth/microscope.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "synth/filters.hpp"
#include "synth/stamps.hpp"

namespace nanoatlas::synth {
namespace {

constexpr int size = 128;

Specimen plain() {
    return {size, 2e-6};
}

Settings with(Detector detector) {
    Settings settings;
    settings.detector = detector;
    return settings;
}

// A ramp in the middle columns, flat on either side.
Specimen ramp(float slope) {
    auto specimen = plain();
    for (int y = 0; y < size; ++y)
        for (int x = 0; x < size; ++x)
            specimen.height(x, y) = slope * static_cast<float>(std::clamp(x, 40, 88) - 40);
    return specimen;
}

TEST(Detector, sees_slopes_brighter_as_one_over_the_cosine) {
    auto settings = with(Detector::secondary);
    settings.azimuth = std::numbers::pi_v<float> / 2;  // across the slope: no side is favoured
    float before = detected_signal(plain(), settings)(64, 64);
    for (const float slope : {0.5F, 1.0F, 2.0F}) {
        const float signal = detected_signal(ramp(slope), settings)(64, 64);
        EXPECT_GT(signal, before * 1.05F) << slope;
        before = signal;
    }
}

TEST(Detector, sees_the_face_towards_it_brighter) {
    auto specimen = plain();
    add_ellipsoid(specimen, {64, 64, 0, 30, 30, 30}, {});
    auto settings = with(Detector::secondary);
    settings.azimuth = 0;  // to the right
    const auto signal = detected_signal(specimen, settings);
    EXPECT_GT(signal(80, 64), 1.1F * signal(48, 64));
    EXPECT_NEAR(signal(64, 48), signal(64, 80), 0.02F * signal(64, 48));
}

TEST(Detector, sees_edges_brighter_and_pits_darker) {
    auto specimen = plain();
    add_plate(specimen, {rectangle(40, 64, 30, 60), 0, 10, 8}, {});
    carve_plate(specimen, {rectangle(95, 64, 12, 12), -25, 0, 8}, 1);
    for (const auto detector : {Detector::secondary, Detector::in_lens}) {
        const auto signal = detected_signal(specimen, with(detector));
        EXPECT_GT(signal(27, 64), 1.2F * signal(40, 64)) << "the edge of the plate over its middle";
        EXPECT_LT(signal(95, 64), 0.8F * signal(120, 10)) << "the floor of the pit";
    }
}

TEST(Detector, of_backscattered_electrons_sees_materials_most) {
    auto specimen = plain();
    for (int y = 0; y < size; ++y)
        for (int x = 64; x < size; ++x) specimen.yield(x, y) = 1.5F;
    const auto contrast = [&](Detector detector) {
        const auto signal = detected_signal(specimen, with(detector));
        return signal(100, 64) / signal(20, 64);
    };
    EXPECT_NEAR(contrast(Detector::secondary), 1.5, 1e-3);
    EXPECT_GT(contrast(Detector::backscatter), 1.9);
}

TEST(Exposure, has_the_shot_noise_of_the_electrons_counted) {
    for (const float electrons : {9.0F, 100.0F, 2500.0F}) {
        auto settings = with(Detector::secondary);
        settings.electrons = electrons, settings.contrast = 0.5F, settings.brightness = 0.5F;
        base::Random random(4);
        const Grid grey = expose(plain(), settings, random);
        double sum = 0, square = 0;
        for (const float value : grey.values()) sum += value, square += value * value;
        const double n = size * size, average = sum / n;
        const double deviation = std::sqrt(square / n - average * average);
        // The gain is that for a surface without contrast: see develop().
        const double gain = 0.5 / (0.25 * electrons + 3 * std::sqrt(electrons));
        EXPECT_NEAR(deviation / (gain * std::sqrt(electrons)), 1, 0.05) << electrons;
        EXPECT_NEAR(average, 0.5, 0.01) << electrons;
    }
}

TEST(Exposure, streaks_along_the_scan_where_the_specimen_charges) {
    auto specimen = plain();
    add_ellipsoid(specimen, {40, 64, 0, 12, 12, 12}, {.yield = 3});
    auto settings = with(Detector::secondary);
    settings.electrons = 1e6F;
    base::Random first(1), second(1);
    const Grid calm = expose(specimen, settings, first);
    settings.charging = 0.5F;
    const Grid charged = expose(specimen, settings, second);
    EXPECT_NEAR(calm(70, 64), calm(70, 10), 0.03);
    EXPECT_LT(charged(62, 64), charged(62, 10) - 0.03F) << "dark behind the bright ball";
}

TEST(Exposure, is_a_function_of_its_stream_and_stays_in_range) {
    auto specimen = plain();
    add_ellipsoid(specimen, {64, 64, 0, 30, 20, 25}, {.yield = 2});
    base::Random settings_stream(8);
    for (int i = 0; i < 50; ++i) {
        specimen.charging = 0.02F * static_cast<float>(i);
        const auto settings = choose_settings(settings_stream, specimen);
        base::Random one(i), other(i);
        const Grid grey = expose(specimen, settings, one),
                   again = expose(specimen, settings, other);
        ASSERT_TRUE(std::ranges::equal(grey.values(), again.values()));
        for (const float value : grey.values()) ASSERT_TRUE(value >= 0 && value <= 1);
    }
}

TEST(Blur, spreads_a_point_by_its_sigma_and_keeps_its_sum) {
    for (const float sigma : {0.5F, 1.3F, 3.7F, 6.0F, 11.0F}) {
        Grid point(160, 160);
        point(80, 80) = 1;
        const Grid spread = blur(point, sigma);
        double sum = 0, square = 0;
        for (int y = 0; y < 160; ++y)
            for (int x = 0; x < 160; ++x) {
                sum += spread(x, y);
                square += spread(x, y) * (x - 80) * (x - 80);
            }
        EXPECT_NEAR(sum, 1, 1e-3) << sigma;
        EXPECT_NEAR(std::sqrt(square / sum), sigma, 0.12 * sigma + 0.1) << sigma;
    }
}

TEST(Blur, leaves_a_constant_alone_at_any_size) {
    for (const int side : {16, 17, 33, 130})
        for (const float sigma : {1.0F, 5.0F, 20.0F}) {
            const Grid grid(side, side, 3);
            const Grid blurred = blur(grid, sigma);
            for (const float value : blurred.values()) ASSERT_NEAR(value, 3, 1e-4);
        }
}

TEST(Percentiles, are_those_of_the_values) {
    Grid grid(100, 100);
    for (int i = 0; i < 10000; ++i) grid(i % 100, i / 100) = static_cast<float>((i * 7919) % 10000);
    const auto range = percentiles(grid, 0.1, 0.9, 1);
    EXPECT_NEAR(range.low, 1000, 1);
    EXPECT_NEAR(range.high, 9000, 1);
}

}  // namespace
}  // namespace nanoatlas::synth
