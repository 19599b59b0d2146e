#include "nn/train/rate_test.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace nanoatlas::nn {
namespace {

TEST(RateTest, rates_grow_by_the_same_factor) {
    const RateTestSettings settings{.steps = 5, .lowest = 1e-3, .highest = 10};
    for (int step = 0; step < 5; ++step)
        EXPECT_NEAR(test_rate(settings, step), std::pow(10, step - 3), 1e-12 * std::pow(10, step));
}

TEST(RateTest, suggests_where_the_loss_falls_fastest) {
    // Without memory the losses are their own mean: flat, falling round step 40, rising from 60.
    const RateTestSettings settings{.steps = 100, .lowest = 1e-5, .highest = 1, .memory = 0};
    std::vector<double> losses;
    for (int i = 0; i < 100; ++i)
        losses.push_back(2 - std::tanh((i - 40) / 5.0) + (i > 60 ? std::exp(i / 4.0 - 18) : 0));
    const auto test = judge_losses(settings, losses);
    ASSERT_TRUE(test.suggestion);
    EXPECT_NEAR(*test.suggestion, test_rate(settings, 40), 1e-9);
    const auto json = nlohmann::json::parse(rate_test_json(test));
    EXPECT_EQ(json["steps"].size(), 100U);
    EXPECT_DOUBLE_EQ(json["suggestion"].get<double>(), *test.suggestion);
}

TEST(RateTest, suggests_nothing_where_the_loss_never_falls) {
    const auto test = judge_losses({}, {1, 1.1, 1.2, 1.3});
    EXPECT_FALSE(test.suggestion);
    EXPECT_TRUE(nlohmann::json::parse(rate_test_json(test))["suggestion"].is_null());
    EXPECT_FALSE(judge_losses({}, {1}).suggestion);
}

TEST(RateTest, the_running_mean_begins_with_the_losses) {
    const auto test = judge_losses({.memory = 0.9}, {5, 5, 5});
    for (const double value : test.smoothed) EXPECT_NEAR(value, 5, 1e-12);
}

}  // namespace
}  // namespace nanoatlas::nn
