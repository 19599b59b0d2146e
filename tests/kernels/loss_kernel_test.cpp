// The loss: each back end against the reference on random samples.
#include <gtest/gtest.h>

#include <numeric>

#include "base/random.hpp"
#include "kernels/loss.hpp"
#include "kernels/reference/loss.hpp"
#include "tests/kernels/all_backends.hpp"
#include "tests/kernels/cnn_shapes.hpp"

namespace nanoatlas::testing {
namespace {

using namespace kernels;

/// Samples of drawn labels: plain, mixed, smoothed, weighted, some of several classes or none.
struct Drawn {
    LossShape shape;
    std::vector<std::int32_t> labels, others;
    Values shares, weights, logits;
    double smoothing = 0;

    explicit Drawn(base::Random& random) {
        const bool has_pixels = random.chance(0.2);
        shape.logits = {draw(random, 0, 9), has_pixels ? 2 : 1, has_pixels ? 3 : 1,
                        draw(random, 2, random.chance(0.2) ? 400 : 12)};
        const auto classes = shape.classes();
        for (auto i = draw(random, 0, 3); i > 0; --i) {
            auto& inner =
                shape.inner.emplace_back(static_cast<std::size_t>(draw(random, 2, classes)));
            std::iota(inner.begin(), inner.end(), 0);
        }
        const auto label = [&](std::int64_t lowest) {
            const auto last = classes + std::ssize(shape.inner) - 1;
            return static_cast<std::int32_t>(draw(random, lowest, last));
        };
        const bool is_mixed = random.chance(0.5);
        for (std::int64_t i = 0; i < shape.logits.samples; ++i) {
            labels.push_back(label(-1));
            if (!is_mixed) continue;
            others.push_back(label(0));
            shares.push_back(static_cast<float>(random.uniform()));
        }
        if (random.chance(0.5)) smoothing = 0.1;
        if (random.chance(0.5))
            for (std::int64_t c = 0; c < classes; ++c)
                weights.push_back(static_cast<float>(random.uniform(0.5, 2)));
        logits = draw_values(random, shape.logits.elements());
        for (auto& value : logits) value *= 4;
    }

    LossTargets targets() const {
        LossTargets targets{.labels = labels,
                            .other_labels = others,
                            .shares = shares,
                            .class_weights = weights,
                            .label_smoothing = smoothing,
                            .factor = 0.5F};
        targets.weight = reference::label_weight(shape, targets);
        return targets;
    }
};

/// Gradient; loss, samples and hits.
std::vector<Values> run(Backend& backend, const Drawn& drawn) {
    const auto& image = drawn.shape.logits;
    const auto x = backend.allocate(image.elements() * 4),
               dx = backend.allocate(image.elements() * 4);
    backend.import_images(drawn.logits.data(), image, x.get());
    const auto loss = backend.loss(drawn.shape);
    const auto targets = drawn.targets();
    loss->set_targets(targets);
    loss->run(x.get(), dx.get());
    Values gradient(drawn.logits.size());
    backend.export_images(dx.get(), image, gradient.data());
    const auto sums = loss->result();
    double at_home = 0;
    backend.download(loss->loss(), sizeof at_home, &at_home);
    EXPECT_EQ(at_home, sums.loss);
    EXPECT_TRUE(loss->not_finite().empty());
    return {gradient,
            {static_cast<float>(sums.loss), static_cast<float>(sums.labelled),
             static_cast<float>(sums.correct)}};
}

TEST(LossKernel, agrees_with_the_reference_on_random_samples) {
    const auto reference = reference::make_backend();
    for (const auto precision : {Precision::f32, Precision::bf16})
        for (const auto& backend : fast_backends(precision))
            for (std::uint64_t seed = 0; seed < 80; ++seed) {
                base::Random random(seed);
                const Drawn drawn(random);
                expect_near(run(*reference, drawn), run(*backend, drawn),
                            precision == Precision::f32 ? 1e-6 : 1.0 / 256,
                            backend->name() + ", seed " + std::to_string(seed));
            }
}

TEST(LossKernel, finds_the_samples_whose_loss_is_not_finite) {
    for (const auto& backend : fast_backends()) {
        const LossShape shape{{4, 1, 1, 3}};
        const std::vector<std::int32_t> labels{0, -1, 2, 1};
        Values logits(12, 0.5F);
        logits[3] = logits[7] = NAN;  // samples 1, which does not count, and 2
        const Tensor x(*backend, logits), dx(*backend, logits);
        const auto loss = backend->loss(shape);
        loss->set_targets({.labels = labels, .weight = 3});
        loss->run(x.get(), dx.get());
        EXPECT_FALSE(std::isfinite(loss->result().loss));
        EXPECT_EQ(loss->not_finite(), std::vector<std::int64_t>{2}) << backend->name();
    }
}

}  // namespace
}  // namespace nanoatlas::testing
