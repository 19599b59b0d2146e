// Optimisers and schedules: against plain loops in double, and against numbers of torch.
#include "nn/train/optimizer.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/check.hpp"
#include "base/random.hpp"
#include "nn/train/schedule.hpp"

namespace nanoatlas::nn {
namespace {

std::vector<float> random_values(std::size_t count, std::uint64_t seed) {
    base::Random random(seed);
    std::vector<float> values(count);
    for (auto& value : values) value = static_cast<float>(random.normal());
    return values;
}

struct Plain {
    double p, m = 0, v = 0;
    void sgd(double g, double rate, double decay, double momentum) {
        m = momentum * m + g + decay * p;
        p -= rate * m;
    }
    void adamw(double g, double rate, double decay, int t) {
        p -= rate * decay * p;
        m = 0.9 * m + 0.1 * g;
        v = 0.999 * v + 0.001 * g * g;
        p -= rate * (m / (1 - std::pow(0.9, t))) / (std::sqrt(v / (1 - std::pow(0.999, t))) + 1e-8);
    }
};

void expect_as_plain(OptimizerKind kind) {
    constexpr std::size_t count = 1000;
    auto parameters = random_values(count, 1);
    std::vector<Plain> plain;
    for (const float p : parameters) plain.push_back({p});
    // [0, 400) decays, [400, 700) does not, the rest is frozen.
    Optimizer optimizer({.kind = kind}, {{0, 400, 0.1}, {400, 300, 0}}, count);
    const auto frozen = parameters;
    for (int t = 1; t <= 20; ++t) {
        const auto gradients = random_values(count, 100 + static_cast<std::uint64_t>(t));
        const double rate = 0.05 / t;
        optimizer.step(parameters, gradients, rate);
        for (std::size_t i = 0; i < 700; ++i) {
            const double decay = i < 400 ? 0.1 : 0;
            if (kind == OptimizerKind::sgd)
                plain[i].sgd(gradients[i], rate, decay, 0.9);
            else
                plain[i].adamw(gradients[i], rate, decay, t);
        }
    }
    for (std::size_t i = 0; i < 700; ++i) ASSERT_NEAR(parameters[i], plain[i].p, 2e-5) << i;
    for (std::size_t i = 700; i < count; ++i) ASSERT_EQ(parameters[i], frozen[i]) << i;
}

TEST(Optimizer, sgd_agrees_with_a_plain_loop) {
    expect_as_plain(OptimizerKind::sgd);
}
TEST(Optimizer, adamw_agrees_with_a_plain_loop) {
    expect_as_plain(OptimizerKind::adamw);
}

// torch 2: p = 1, g = 0.5 each step, lr 0.1, weight decay 0.1; three steps.
TEST(Optimizer, sgd_makes_the_steps_of_torch) {
    std::vector<float> p = {1};
    const std::vector<float> g = {0.5F};
    Optimizer optimizer({.kind = OptimizerKind::sgd}, {{0, 1, 0.1}}, 1);
    const double expected[] = {0.94, 0.8266, 0.666274};
    for (const double value : expected) {
        optimizer.step(p, g, 0.1);
        EXPECT_NEAR(p[0], value, 1e-6);
    }
}

// With a constant gradient Adam's bias-corrected step is the rate itself.
TEST(Optimizer, adamw_steps_by_the_rate_and_decays_apart) {
    std::vector<float> p = {1};
    const std::vector<float> g = {0.5F};
    Optimizer optimizer({.kind = OptimizerKind::adamw}, {{0, 1, 0.1}}, 1);
    const double expected[] = {0.89, 0.7811, 0.673289};
    for (const double value : expected) {
        optimizer.step(p, g, 0.1);
        EXPECT_NEAR(p[0], value, 1e-5);
    }
    EXPECT_EQ(optimizer.steps(), 3);
}

// A slice that is released after two steps, at half the rate, moves as one that begins then.
TEST(Optimizer, a_slice_may_have_its_own_rate_and_beginning) {
    for (const auto kind : {OptimizerKind::sgd, OptimizerKind::adamw}) {
        std::vector<float> late = {1, 2}, fresh = {1, 2};
        const std::vector<float> g = {0.5F, -0.25F};
        Optimizer released({.kind = kind}, {{0, 2, 0.1, 0.5, 2}}, 2),
            begun({.kind = kind}, {{0, 2, 0.1}}, 2);
        released.set_steps(2);
        for (int step = 0; step < 3; ++step) {
            released.step(late, g, 0.2);
            begun.step(fresh, g, 0.1);
        }
        EXPECT_EQ(late, fresh);
    }
}

TEST(Optimizer, goes_on_to_the_bit_from_its_state) {
    auto straight = random_values(50, 3);
    auto resumed = straight;
    const OptimizerSettings settings{.kind = OptimizerKind::adamw};
    Optimizer first(settings, {{0, 50, 0.01}}, 50), second(settings, {{0, 50, 0.01}}, 50);
    Optimizer whole(settings, {{0, 50, 0.01}}, 50);
    for (std::uint64_t t = 0; t < 6; ++t) {
        const auto gradients = random_values(50, 10 + t);
        whole.step(straight, gradients, 0.01);
        if (t == 3) {
            second.state() = first.state();
            second.set_steps(first.steps());
        }
        (t < 3 ? first : second).step(resumed, gradients, 0.01);
    }
    EXPECT_EQ(straight, resumed);
}

TEST(Optimizer, unknown_names_are_refused) {
    EXPECT_THROW(parse_optimizer("adam"), InputError);
    EXPECT_THROW(parse_schedule("step"), InputError);
}

TEST(Schedule, cosine_rises_then_falls_to_zero) {
    const Schedule schedule{.kind = ScheduleKind::cosine, .peak = 1, .warmup = 4, .total = 104};
    EXPECT_DOUBLE_EQ(learning_rate(schedule, 0), 0.2);
    EXPECT_DOUBLE_EQ(learning_rate(schedule, 3), 0.8);
    EXPECT_DOUBLE_EQ(learning_rate(schedule, 4), 1);
    EXPECT_NEAR(learning_rate(schedule, 54), 0.5, 1e-12);
    EXPECT_NEAR(learning_rate(schedule, 103), 0.00024672, 1e-8);
}

// torch.optim.lr_scheduler.OneCycleLR(max_lr=1, total_steps=10)
TEST(Schedule, onecycle_is_that_of_torch) {
    const Schedule schedule{.kind = ScheduleKind::onecycle, .peak = 1, .total = 10};
    const double expected[] = {0.04,     0.52,     1.0,      0.950484,  0.811745,
                               0.611261, 0.388743, 0.188259, 0.0495195, 4e-06};
    for (int step = 0; step < 10; ++step)
        EXPECT_NEAR(learning_rate(schedule, step), expected[step], 1e-5) << step;
}

TEST(Schedule, one_step_is_enough) {
    for (const auto kind : {ScheduleKind::constant, ScheduleKind::cosine, ScheduleKind::onecycle}) {
        const double rate = learning_rate({.kind = kind, .peak = 0.5, .total = 1}, 0);
        EXPECT_TRUE(std::isfinite(rate) && rate > 0 && rate <= 0.5);
    }
}

}  // namespace
}  // namespace nanoatlas::nn
