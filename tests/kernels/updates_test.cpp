// What optimisers do to flat buffers: each back end against the reference on random slices.
#include "kernels/updates.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.hpp"
#include "tests/kernels/all_backends.hpp"

namespace nanoatlas::testing {
namespace {

using namespace kernels;
Values draw_values(base::Random& random, std::int64_t count) {
    Values values(static_cast<std::size_t>(count));
    for (auto& value : values) value = static_cast<float>(random.normal());
    return values;
}

/// Some of the slices next to each other, some values in none; a few as long as many chunks.
std::vector<UpdateSlice> draw_slices(base::Random& random) {
    std::vector<UpdateSlice> slices;
    std::int64_t end = 0;
    for (std::uint64_t i = 1 + random.below(6); i > 0; --i) {
        if (random.chance(0.3)) end += static_cast<std::int64_t>(random.below(50));
        const auto longest = random.chance(0.2) ? 20000U : 300U;
        slices.push_back({end, static_cast<std::int64_t>(random.below(longest))});
        end += slices.back().count;
    }
    return slices;
}

/// Two steps from a drawn state.
std::vector<Values> run_steps(Backend& backend, base::Random random) {
    const auto slices = draw_slices(random);
    const auto count = slices.back().first + slices.back().count + 3;
    const bool adamw = random.chance(0.5);
    UpdateOptions options{.rule = adamw ? UpdateRule::adamw : UpdateRule::sgd,
                          .momentum = 0.9F,
                          .beta1 = 0.9F,
                          .beta2 = 0.99F,
                          .epsilon = 1e-3F};
    if (random.chance(0.7))
        options.longest_gradient = random.uniform(0.3, 2) * std::sqrt(static_cast<double>(count));
    const Tensor parameters(backend, draw_values(random, count));
    const Tensor first(backend, draw_values(random, count));
    auto squares = draw_values(random, count);
    for (auto& value : squares) value *= value;
    const Tensor second(backend, squares);
    const auto updater = backend.updater(options, slices);
    for (int step = 0; step < 2; ++step) {
        std::vector<SliceStep> steps;
        for (std::size_t i = 0; i < slices.size(); ++i) {
            const auto draw = [&](double low, double high) {
                return static_cast<float>(random.uniform(low, high));
            };
            steps.push_back({.rate = draw(0.01, 0.2),
                             .decay = draw(0, 0.1),
                             .keep = draw(0.9, 1),
                             .unbias = draw(1, 3)});
        }
        const Tensor gradients(backend, draw_values(random, count));
        updater->set_steps(steps);
        updater->step(parameters.get(), gradients.span(), first.get(),
                      adamw ? second.get() : nullptr, {});
    }
    return {parameters.values(), first.values(), second.values()};
}

TEST(Updates, agree_with_the_reference_on_random_slices) {
    const auto reference = reference::make_backend();
    const auto others = fast_backends();
    for (std::uint64_t seed = 0; seed < 60; ++seed)
        for (const auto& backend : others)
            expect_near(run_steps(*reference, base::Random(seed)),
                        run_steps(*backend, base::Random(seed)), 1e-5,
                        backend->name() + ", seed " + std::to_string(seed));
}

TEST(Updates, are_not_made_by_a_loss_that_is_not_finite) {
    auto all = fast_backends();
    all.push_back(reference::make_backend());
    for (const auto& backend : all)
        for (const double value : {1.0, std::nan(""), HUGE_VAL}) {
            const std::vector<UpdateSlice> slices{{0, 2}};
            const Tensor parameters(*backend, {1, 2}), gradients(*backend, {1, 1}),
                velocity(*backend, {0, 0}), loss(*backend, {0, 0});
            backend->upload(&value, sizeof value, loss.get());
            const auto updater = backend->updater({}, slices);
            updater->set_steps(std::vector<SliceStep>{{.rate = 0.5F}});
            const std::vector<const double*> losses{reinterpret_cast<const double*>(loss.get())};
            updater->step(parameters.get(), gradients.span(), velocity.get(), nullptr, losses);
            const Values moved{0.5F, 1.5F}, kept{1, 2};
            EXPECT_EQ(parameters.values(), std::isfinite(value) ? moved : kept) << backend->name();
        }
}

TEST(Updates, make_the_same_bits_twice) {
    for (const auto& backend : fast_backends())
        for (std::uint64_t seed = 0; seed < 10; ++seed)
            EXPECT_EQ(run_steps(*backend, base::Random(seed)),
                      run_steps(*backend, base::Random(seed)));
}

TEST(Updates, of_whole_buffers_agree_with_the_reference) {
    const auto run = [](Backend& backend, base::Random random) {
        const auto count = static_cast<std::int64_t>(random.below(20000));
        const Tensor x(backend, draw_values(random, count));
        const Tensor sum(backend, draw_values(random, count));
        const Tensor average(backend, draw_values(random, count));
        backend.accumulate(x.get(), 0.3F, count, sum.get());
        backend.multiply(sum.get(), -1.5F, count, sum.get());
        backend.approach(x.get(), 0.1F, count, average.get());
        return std::vector<Values>{sum.values(), average.values()};
    };
    const auto reference = reference::make_backend();
    const auto others = fast_backends();
    for (std::uint64_t seed = 0; seed < 10; ++seed)
        for (const auto& backend : others)
            expect_near(run(*reference, base::Random(seed)), run(*backend, base::Random(seed)),
                        1e-5, backend->name());
}

}  // namespace
}  // namespace nanoatlas::testing
