// Optimisers and schedules: against plain loops in double, and against numbers of torch.
#include "nn/train/optimizer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "base/random.hpp"
#include "nn/backend.hpp"
#include "nn/train/schedule.hpp"

namespace nanoatlas::nn {
namespace {

std::vector<float> random_values(std::size_t count, std::uint64_t seed) {
    base::Random random(seed);
    std::vector<float> values(count);
    for (auto& value : values) value = static_cast<float>(random.normal());
    return values;
}

/// The one that the environment names.
kernels::Backend& backend() {
    static const auto made = make_backend(default_backend(), Precision::f32);
    return *made;
}

Values in_backend(const std::vector<float>& values) {
    Values copy(backend(), std::ssize(values));
    std::ranges::copy(values, copy.changed_by_host().begin());
    return copy;
}

std::span<float> changed(Values& values) {
    return {values.changed_by_backend(), static_cast<std::size_t>(values.size())};
}

std::vector<float> on_host(const Values& values) {
    return {values.on_host().begin(), values.on_host().end()};
}

void step(Optimizer& optimizer, Values& parameters, const std::vector<float>& gradients,
          double rate) {
    auto copy = in_backend(gradients);
    optimizer.step(changed(parameters), changed(copy), rate);
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
    const auto begin = random_values(count, 1);
    auto values = in_backend(begin);
    std::vector<Plain> plain;
    for (const float p : begin) plain.push_back({p});
    // [0, 400) decays, [400, 700) does not, the rest is frozen.
    Optimizer optimizer({.kind = kind}, {{0, 400, 0.1}, {400, 300, 0}}, count, backend());
    for (int t = 1; t <= 20; ++t) {
        const auto gradients = random_values(count, 100 + static_cast<std::uint64_t>(t));
        const double rate = 0.05 / t;
        step(optimizer, values, gradients, rate);
        for (std::size_t i = 0; i < 700; ++i) {
            const double decay = i < 400 ? 0.1 : 0;
            if (kind == OptimizerKind::sgd)
                plain[i].sgd(gradients[i], rate, decay, 0.9);
            else
                plain[i].adamw(gradients[i], rate, decay, t);
        }
    }
    const auto parameters = on_host(values);
    for (std::size_t i = 0; i < 700; ++i) ASSERT_NEAR(parameters[i], plain[i].p, 2e-5) << i;
    for (std::size_t i = 700; i < count; ++i) ASSERT_EQ(parameters[i], begin[i]) << i;
}

TEST(Optimizer, sgd_agrees_with_a_plain_loop) {
    expect_as_plain(OptimizerKind::sgd);
}
TEST(Optimizer, adamw_agrees_with_a_plain_loop) {
    expect_as_plain(OptimizerKind::adamw);
}

// torch 2: p = 1, g = 0.5 each step, lr 0.1, weight decay 0.1; three steps.
TEST(Optimizer, sgd_makes_the_steps_of_torch) {
    auto p = in_backend({1});
    const std::vector<float> g = {0.5F};
    Optimizer optimizer({.kind = OptimizerKind::sgd}, {{0, 1, 0.1}}, 1, backend());
    const double expected[] = {0.94, 0.8266, 0.666274};
    for (const double value : expected) {
        step(optimizer, p, g, 0.1);
        EXPECT_NEAR(p.on_host()[0], value, 1e-6);
    }
}

// With a constant gradient Adam's bias-corrected step is the rate itself.
TEST(Optimizer, adamw_steps_by_the_rate_and_decays_apart) {
    auto p = in_backend({1});
    const std::vector<float> g = {0.5F};
    Optimizer optimizer({.kind = OptimizerKind::adamw}, {{0, 1, 0.1}}, 1, backend());
    const double expected[] = {0.89, 0.7811, 0.673289};
    for (const double value : expected) {
        step(optimizer, p, g, 0.1);
        EXPECT_NEAR(p.on_host()[0], value, 1e-5);
    }
    EXPECT_EQ(optimizer.steps(), 3);
}

// A slice that is released after two steps, at half the rate, moves as one that begins then.
TEST(Optimizer, a_slice_may_have_its_own_rate_and_beginning) {
    for (const auto kind : {OptimizerKind::sgd, OptimizerKind::adamw}) {
        auto late = in_backend({1, 2}), fresh = in_backend({1, 2});
        const std::vector<float> g = {0.5F, -0.25F};
        Optimizer released({.kind = kind}, {{0, 2, 0.1, 0.5, 2}}, 2, backend()),
            begun({.kind = kind}, {{0, 2, 0.1}}, 2, backend());
        released.set_steps(2);
        for (int i = 0; i < 3; ++i) {
            step(released, late, g, 0.2);
            step(begun, fresh, g, 0.1);
        }
        EXPECT_EQ(on_host(late), on_host(fresh));
    }
}

TEST(Optimizer, shortens_a_gradient_that_is_too_long_as_torch_does) {
    for (const std::size_t count : {1U, 100U, 40000U}) {
        const auto g = random_values(count, 3);
        double squares = 0;
        for (const double value : g) squares += value * value;
        const double norm = std::sqrt(squares);
        const auto moved_by = [&](double clip) {
            Optimizer optimizer({.momentum = 0, .clip = clip}, {{0, count}}, count, backend());
            auto p = in_backend(std::vector<float>(count, 0));
            step(optimizer, p, g, 1);
            return on_host(p);
        };
        const auto shortened = moved_by(norm / 3);
        for (std::size_t i = 0; i < count; ++i)
            ASSERT_NEAR(shortened[i], -g[i] * (norm / 3) / (norm + 1e-6), 1e-6);
        EXPECT_EQ(moved_by(2 * norm), moved_by(0));
    }
}

TEST(Optimizer, goes_on_to_the_bit_from_its_state) {
    auto straight = in_backend(random_values(50, 3)), resumed = in_backend(random_values(50, 3));
    const OptimizerSettings settings{.kind = OptimizerKind::adamw};
    const auto make = [&] { return Optimizer(settings, {{0, 50, 0.01}}, 50, backend()); };
    auto first = make(), second = make(), whole = make();
    for (std::uint64_t t = 0; t < 6; ++t) {
        const auto gradients = random_values(50, 10 + t);
        step(whole, straight, gradients, 0.01);
        if (t == 3) {
            for (std::size_t i = 0; i < 2; ++i)
                std::ranges::copy(first.state()[i].on_host(),
                                  second.state()[i].changed_by_host().begin());
            second.set_steps(first.steps());
        }
        step(t < 3 ? first : second, resumed, gradients, 0.01);
    }
    EXPECT_EQ(on_host(straight), on_host(resumed));
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
