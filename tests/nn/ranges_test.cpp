// Histograms of values, whatever their order and their ranks, and the ranges found from them.
#include "nn/ranges.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "base/random.hpp"
#include "tests/mpi_test.hpp"

namespace nanoatlas::testing {
namespace {

using namespace nn;
using Values = std::vector<float>;

Range range_of(const Values& values) {
    Histogram histogram;
    histogram.add(values);
    return histogram.best_range();
}

/// Of rounding to steps up to the limit, value by value.
double square_error(const Values& values, const Range& range) {
    const int levels = range.is_signed ? 127 : 255;
    const double step = range.limit / levels;
    double error = 0;
    for (const double value : values) {
        const double level = std::clamp<double>(std::nearbyint(value / step), -levels, levels);
        error += std::pow(value - level * step, 2);
    }
    return error;
}

Values draw_normal(std::size_t count, std::uint64_t seed) {
    base::Random random(seed);
    Values values(count);
    for (auto& value : values) value = static_cast<float>(random.normal());
    return values;
}

TEST(Ranges, values_spread_evenly_are_not_clipped) {
    Values values;
    for (int i = 0; i <= 10000; ++i) values.push_back(static_cast<float>(i) / 10000 * 6);
    const auto range = range_of(values);
    EXPECT_NEAR(range.limit, 6, 0.05);
    EXPECT_FALSE(range.is_signed);
}

TEST(Ranges, a_single_outlier_does_not_coarsen_all_others) {
    auto values = draw_normal(100000, 1);
    values.push_back(1000);
    const auto range = range_of(values);
    EXPECT_TRUE(range.is_signed);
    EXPECT_LT(square_error(values, range), 1.02 * square_error(values, {1000, true}));
    for (const double limit : {2.0, 4.0, 8.0, 100.0, 500.0})
        EXPECT_LT(square_error(values, range), 1.02 * square_error(values, {limit, true}));
}

TEST(Ranges, no_other_limit_has_a_smaller_error) {
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
        auto values = draw_normal(20000, seed);
        for (auto& value : values) value = std::pow(std::abs(value), 2.0F);
        const auto range = range_of(values);
        for (double limit = 0.3; limit < 20; limit *= 1.1)
            EXPECT_LT(square_error(values, range), 1.02 * square_error(values, {limit, false}))
                << limit;
    }
}

TEST(Ranges, order_parts_and_ranks_do_not_show) {
    const auto values = draw_normal(5000, 3);
    const auto expected = range_of(values);
    Histogram mine;
    const auto rank = static_cast<std::size_t>(world().rank());
    const auto ranks = static_cast<std::size_t>(world().size());
    for (std::size_t i = values.size(); i-- > 0;)
        if (i % ranks == rank) mine.add(std::span(values).subspan(i, 1));
    mine.sum(world());
    EXPECT_EQ(mine.best_range(), expected);
}

TEST(Ranges, zeros_alone_have_a_range) {
    EXPECT_EQ(range_of({0, 0, 0}), (Range{1, false}));
    EXPECT_EQ(range_of({}), (Range{1, false}));
}

TEST(Ranges, values_that_are_not_finite_are_refused) {
    for (const float value : {NAN, INFINITY, -INFINITY})
        EXPECT_THROW(range_of({1, value, 2}), InputError);
}

TEST(Ranges, tiny_and_huge_values_keep_their_size) {
    for (const float size : {1e-25F, 1e-3F, 1e30F}) {
        Values values;
        for (int i = 0; i <= 1000; ++i) values.push_back(static_cast<float>(i) / 1000 * size);
        EXPECT_NEAR(range_of(values).limit, size, 0.02 * size);
    }
}

}  // namespace
}  // namespace nanoatlas::testing
