// The back ends against the reference on random shapes, in f32 and in bf16: what is done value by
// value, and averages.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kernels/reference/cnn.hpp"
#include "tests/kernels/cnn_backends.hpp"

namespace nanoatlas::testing {
namespace {

TEST_F(BackendsAgree, on_gelu) {
    for (std::uint64_t seed = 0; seed < 20; ++seed)
        expect_equal(seed, [](Backend& backend, base::Random random) {
            const ImageShape shape{1, 1, 1, draw(random, 1, 3000)};
            auto values = draw_values(random, shape.elements());
            for (auto& value : values) value *= 8;
            const Image x(backend, shape, values);
            const Image dy(backend, shape, draw_values(random, shape.elements()));
            const Image y(backend, shape);
            backend.gelu(x.get(), shape.elements(), y.get());
            backend.gelu_backward(dy.get(), x.get(), shape.elements(), dy.get());
            return std::vector<Values>{y.values(), dy.values()};
        });
}

TEST_F(BackendsAgree, on_scales) {
    for (std::uint64_t seed = 0; seed < 40; ++seed)
        expect_equal(seed, [](Backend& backend, base::Random random) {
            const ImageShape shape{draw(random, 1, 5), draw(random, 1, 5), draw(random, 1, 5),
                                   draw(random, 1, 70)};
            const Tensor by_channel(backend, draw_values(random, shape.channels));
            const Scale by{random.chance(0.7) ? by_channel.get() : nullptr,
                           {.stream = random(),
                            .first_sample = draw(random, 0, 9),
                            .probability = random.chance(0.5) ? 0.5 : 0}};
            const Image x(backend, shape, draw_values(random, shape.elements()));
            const Image addend(backend, shape, draw_values(random, shape.elements()));
            const Image y(backend, shape), dx(backend, shape);
            const Tensor dby_channel(backend, by_channel.values());
            backend.scale(x.get(), random.chance(0.5) ? addend.get() : nullptr, shape, by, y.get());
            backend.scale_backward(addend.get(), x.get(), shape, by, dx.get(),
                                   random.chance(0.8) ? dby_channel.get() : nullptr);
            return std::vector<Values>{y.values(), dx.values(), dby_channel.values()};
        });
}

TEST_F(BackendsAgree, on_sums_and_activations) {
    for (std::uint64_t seed = 0; seed < 30; ++seed)
        expect_equal(seed, [](Backend& backend, base::Random random) {
            const ImageShape shape{1, 1, 1, draw(random, 1, 5000)};
            const auto activation = draw_activation(random);
            std::vector<Image> images;
            std::vector<const void*> parts;
            for (auto i = draw(random, 1, 4); i > 0; --i) {
                images.emplace_back(backend, shape, draw_values(random, shape.elements()));
                parts.push_back(images.back().get());
            }
            const Image y(backend, shape), dx(backend, shape);
            backend.add(parts, activation, shape.elements(), y.get());
            const auto sum = y.values();
            // In place: the sum may be written over one of its parts.
            backend.activation_backward(parts, images[0].get(), activation, shape.elements(),
                                        images.back().get());
            return std::vector<Values>{sum, images.back().values()};
        });
}

TEST_F(BackendsAgree, on_copied_channels) {
    for (std::uint64_t seed = 0; seed < 20; ++seed)
        expect_equal(seed, [](Backend& backend, base::Random random) {
            const auto channels = draw(random, 1, 9), from_first = draw(random, 0, 5),
                       to_first = draw(random, 0, 5), rows = draw(random, 1, 50);
            const ImageShape from{rows, 1, 1, from_first + channels + 2};
            const ImageShape to{rows, 1, 1, to_first + channels + 1};
            const Image source(backend, from, draw_values(random, from.elements()));
            const Image target(backend, to, draw_values(random, to.elements()));
            backend.copy_channels(source.get(), from.channels, from_first, target.get(),
                                  to.channels, to_first, channels, rows);
            return std::vector<Values>{target.values()};
        });
}

TEST_F(BackendsAgree, on_adaptive_averages) {
    for (std::uint64_t seed = 0; seed < 20; ++seed)
        expect_equal(seed, [](Backend& backend, base::Random random) {
            const auto samples = draw(random, 1, 3), channels = draw(random, 1, 40);
            const ImageShape input{samples, draw(random, 1, 9), draw(random, 1, 9), channels};
            const ImageShape output{samples, draw(random, 1, 9), draw(random, 1, 9), channels};
            const Image x(backend, input, draw_values(random, input.elements()));
            const Image dy(backend, output, draw_values(random, output.elements()));
            const Image y(backend, output), dx(backend, input);
            backend.adaptive_average(x.get(), input, output, y.get());
            backend.adaptive_average_backward(dy.get(), input, output, dx.get());
            return std::vector<Values>{y.values(), dx.values()};
        });
}

TEST_F(BackendsAgree, on_dropout) {
    for (std::uint64_t seed = 0; seed < 10; ++seed)
        expect_equal(seed, [](Backend& backend, base::Random random) {
            const ImageShape shape{draw(random, 1, 5), 3, 4, draw(random, 1, 40)};
            const DropoutKey key{random(), draw(random, 0, 100), 0.5};
            const Image x(backend, shape, draw_values(random, shape.elements()));
            const Image y(backend, shape);
            backend.dropout(x.get(), shape, key, y.get());
            return std::vector<Values>{y.values()};
        });
}

TEST(Dropout, keeps_the_wanted_part_and_depends_on_the_sample_s_number_alone) {
    const DropoutKey all{.stream = 5, .first_sample = 0, .probability = 0.3};
    const DropoutKey rank{.stream = 5, .first_sample = 6, .probability = 0.3};
    int kept = 0;
    for (std::int64_t sample = 6; sample < 10; ++sample)
        for (std::int64_t i = 0; i < 10000; ++i) {
            EXPECT_EQ(dropout_keeps(all, sample, i), dropout_keeps(rank, sample - 6, i));
            kept += dropout_keeps(all, sample, i) ? 1 : 0;
        }
    EXPECT_NEAR(kept, 28000, 4 * std::sqrt(40000 * 0.3 * 0.7));
}

/// As exact as f32 allows over the whole range: torch's own is as far from f64.
TEST(Gelu, is_that_of_the_error_function) {
    const auto backend = onednn::make_backend(Precision::f32);
    const ImageShape shape{1, 1, 1, 400001};
    Values points(static_cast<std::size_t>(shape.elements()));
    for (std::size_t i = 0; i < points.size(); ++i)
        points[i] = static_cast<float>(static_cast<double>(i) * 1e-4 - 20);
    const Image x(*backend, shape, points), y(*backend, shape), dx(*backend, shape);
    const Image ones(*backend, shape, Values(points.size(), 1));
    backend->gelu(x.get(), shape.elements(), y.get());
    backend->gelu_backward(ones.get(), x.get(), shape.elements(), dx.get());
    const auto found = y.values(), slope = dx.values();
    double worst = 0, worst_slope = 0;
    for (std::size_t i = 0; i < points.size(); ++i) {
        const double at = points[i], below = 0.5 * (1 + std::erf(at / std::sqrt(2.0)));
        const double density = std::exp(-at * at / 2) / std::sqrt(2 * 3.14159265358979324);
        worst = std::max(worst, std::abs(found[i] - at * below) / std::max(1.0, std::abs(at)));
        worst_slope = std::max(worst_slope, std::abs(slope[i] - (below + at * density)));
    }
    EXPECT_LT(worst, 2e-7);
    EXPECT_LT(worst_slope, 4e-7);
}

TEST(StochasticDepth, drops_the_wanted_part_of_the_samples_and_scales_the_others) {
    const DropoutKey all{.stream = 5, .first_sample = 0, .probability = 0.2};
    const DropoutKey rank{.stream = 5, .first_sample = 400, .probability = 0.2};
    double sum = 0;
    for (std::int64_t sample = 400; sample < 10400; ++sample) {
        EXPECT_EQ(sample_scale(all, sample), sample_scale(rank, sample - 400));
        sum += sample_scale(all, sample);
    }
    EXPECT_NEAR(sum, 10000, 4 * std::sqrt(10000 * 0.2 / 0.8));
    EXPECT_EQ(sample_scale({.stream = 5, .first_sample = 0, .probability = 0}, 3), 1);
}

}  // namespace
}  // namespace nanoatlas::testing
