// The scenes: functions of seed and index, at several magnifications, and told apart by simple
// figures.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "base/check.hpp"
#include "synth/categories.hpp"
#include "synth/filters.hpp"
#include "synth/micrograph.hpp"

namespace nanoatlas::synth {
namespace {

TEST(Micrograph, is_a_function_of_seed_and_index) {
    for (std::int64_t index = 0; index < 20; ++index) {
        const auto one = to_8_bit(draw(5, index, 64)), again = to_8_bit(draw(5, index, 64));
        EXPECT_EQ(one, again) << index;
        EXPECT_NE(one, to_8_bit(draw(6, index, 64))) << index;
        EXPECT_NE(one, to_8_bit(draw(5, index + 10, 64))) << index;
    }
}

TEST(Micrograph, is_the_same_on_any_thread) {
    std::array<std::vector<std::uint8_t>, 40> alone, together;
    for (std::size_t i = 0; i < alone.size(); ++i)
        alone[i] = to_8_bit(draw(2, static_cast<std::int64_t>(i), 48));
#pragma omp parallel for schedule(dynamic)
    for (std::size_t i = 0; i < together.size(); ++i)
        together[together.size() - 1 - i] =
            to_8_bit(draw(2, static_cast<std::int64_t>(together.size() - 1 - i), 48));
    EXPECT_EQ(alone, together);
}

TEST(Micrograph, takes_the_categories_in_turn) {
    for (std::int64_t index = 0; index < 30; ++index)
        EXPECT_EQ(draw(1, index, 16).label, index % 10);
}

TEST(Micrograph, shows_the_same_field_at_any_size) {
    for (std::int64_t index = 0; index < 10; ++index)
        EXPECT_NEAR(draw(1, index, 64).field_width() / draw(1, index, 160).field_width(), 1, 1e-9);
}

TEST(Micrograph, comes_at_several_magnifications_of_each_category) {
    for (std::int64_t label = 0; label < 10; ++label) {
        std::set<double> fields;
        for (std::int64_t i = 0; i < 16; ++i)
            fields.insert(draw(1, 10 * i + label, 16).field_width());
        EXPECT_GE(fields.size(), 4u) << categories[static_cast<std::size_t>(label)].name;
        EXPECT_GT(*fields.rbegin() / *fields.begin(), 2)
            << categories[static_cast<std::size_t>(label)].name;
        EXPECT_GT(*fields.begin(), 1e-7);
        EXPECT_LT(*fields.rbegin(), 5e-3);
    }
}

TEST(Micrograph, is_exposed_as_an_operator_would) {
    for (std::int64_t index = 0; index < 200; ++index) {
        const auto pixels = to_8_bit(draw(3, index, 96));
        double sum = 0, square = 0, clipped = 0;
        for (const int value : pixels) {
            sum += value, square += value * value;
            clipped += value == 0 || value == 255;
        }
        const double n = static_cast<double>(pixels.size()), average = sum / n;
        EXPECT_GT(average, 8) << index;
        EXPECT_LT(average, 225) << index;
        EXPECT_GT(std::sqrt(square / n - average * average), 3) << index;
        EXPECT_LT(clipped / n, 0.85) << index;
    }
}

TEST(Scenes, have_finite_heights_and_positive_yields) {
    for (const auto& category : categories)
        for (std::uint64_t i = 0; i < 60; ++i) {
            base::Random random(17, i);
            const auto specimen = category.draw(random, 40);
            for (const float h : specimen.height.values())
                ASSERT_TRUE(std::isfinite(h)) << category.name << " " << i;
            for (const float y : specimen.yield.values())
                ASSERT_TRUE(y > 0 && y < 10) << category.name << " " << i;
        }
}

TEST(Micrograph, refuses_impossible_sizes) {
    EXPECT_THROW(draw(1, 0, 15), InputError);
    EXPECT_THROW(draw(1, 0, 100000), InputError);
}

// Figures of a picture that know nothing of the scenes: mean, spread, asymmetry, the share of the
// spread at four scales, and how much it runs along one direction.
constexpr std::size_t figures = 9;
using Figures = std::array<double, figures>;

Figures measure(const Grid& grey) {
    Figures found{};
    const double n = static_cast<double>(grey.values().size()), average = mean(grey);
    double square = 0, cube = 0;
    for (const float value : grey.values())
        square += std::pow(value - average, 2), cube += std::pow(value - average, 3);
    const double deviation = std::sqrt(square / n) + 1e-6;
    found[0] = average, found[1] = deviation, found[2] = cube / n / std::pow(deviation, 3) / 3;
    Grid finer = grey;
    float sigma = 1;
    for (std::size_t scale = 3; scale < 8; ++scale, sigma *= 2) {
        const Grid coarser = blur(grey, sigma);
        double band = 0;
        for (std::size_t i = 0; i < grey.values().size(); ++i)
            band += std::pow(finer.values()[i] - coarser.values()[i], 2);
        found[scale] = std::log(band / n / deviation / deviation + 1e-4);
        finer = coarser;
    }
    const Grid smooth = blur(grey, 1.5F);
    double xx = 0, yy = 0, xy = 0;
    for (int y = 1; y + 1 < grey.height(); ++y)
        for (int x = 1; x + 1 < grey.width(); ++x) {
            const double gx = smooth(x + 1, y) - smooth(x - 1, y),
                         gy = smooth(x, y + 1) - smooth(x, y - 1);
            xx += gx * gx, yy += gy * gy, xy += gx * gy;
        }
    found[8] = 3 * std::hypot(xx - yy, 2 * xy) / (xx + yy + 1e-9);
    return found;
}

TEST(Categories, are_told_apart_by_simple_figures_but_not_all) {
    constexpr std::int64_t count = 300;
    std::vector<Figures> all(count);
    for (std::int64_t i = 0; i < count; ++i)
        all[static_cast<std::size_t>(i)] = measure(draw(1, i, 128).grey);
    for (std::size_t f = 0; f < figures; ++f) {
        double sum = 0, square = 0;
        for (const auto& one : all) sum += one[f], square += one[f] * one[f];
        const double average = sum / count,
                     deviation = std::sqrt(square / count - average * average);
        for (auto& one : all) one[f] = (one[f] - average) / deviation;
    }
    // The nearest of all the others has the same category: by chance in one of ten.
    int right = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        double nearest = 1e9;
        std::int64_t label = -1;
        for (std::int64_t j = 0; j < count; ++j) {
            double distance = 0;
            for (std::size_t f = 0; f < figures; ++f)
                distance += std::pow(
                    all[static_cast<std::size_t>(i)][f] - all[static_cast<std::size_t>(j)][f], 2);
            if (i != j && distance < nearest) nearest = distance, label = label_of(j);
        }
        right += label == label_of(i);
    }
    const double accuracy = static_cast<double>(right) / count;
    std::printf("one nearest neighbour on %zu figures: %.3f\n", figures, accuracy);
    EXPECT_GT(accuracy, 0.35);
    EXPECT_LT(accuracy, 0.95) << "too easy to be an honest task";
}

}  // namespace
}  // namespace nanoatlas::synth
