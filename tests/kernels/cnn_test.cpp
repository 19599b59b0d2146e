// The oneDNN back end against the reference on random shapes, in f32 and in bf16.
#include "kernels/reference/cnn.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "kernels/cudnn/cudnn.hpp"
#include "kernels/onednn/onednn.hpp"
#include "tests/kernels/cnn_shapes.hpp"

namespace nanoatlas::testing {
namespace {

using namespace kernels;
using Values = std::vector<float>;

/// An image in a back end's memory.
class Image {
  public:
    Image(Backend& backend, const ImageShape& shape)
        : backend_(backend), shape_(shape), memory_(backend.allocate(shape.elements() * 4)) {}
    Image(Backend& backend, const ImageShape& shape, const Values& values) : Image(backend, shape) {
        backend.import_images(values.data(), shape, get());
    }
    void* get() const { return memory_.get(); }
    Values values() const {
        Values read(static_cast<std::size_t>(shape_.elements()));
        backend_.export_images(get(), shape_, read.data());
        return read;
    }

  private:
    Backend& backend_;
    ImageShape shape_;
    Memory memory_;
};

/// f32 values in a back end's memory, such as weights.
class Tensor {
  public:
    Tensor(Backend& backend, const Values& values)
        : backend_(backend), count_(values.size()), memory_(backend.allocate(bytes())) {
        backend.upload(values.data(), bytes(), memory_.get());
    }
    float* get() const { return static_cast<float*>(memory_.get()); }
    Values values() const {
        Values read(count_);
        backend_.download(memory_.get(), bytes(), read.data());
        return read;
    }

  private:
    std::int64_t bytes() const { return static_cast<std::int64_t>(count_ * sizeof(float)); }

    Backend& backend_;
    std::size_t count_;
    Memory memory_;
};

/// Runs a test's body on the reference, on oneDNN and, where there is a GPU, on cuDNN, both in both
/// precisions; each returns tensors that
/// must agree. Inputs are exact in bf16, so results differ by the order of f32 sums, and where they
/// are stored as bf16 by its rounding: 2^-8 of the value, or of the largest that went into it.
class BackendsAgree : public ::testing::Test {
  protected:
    template <class Body>
    void expect_equal(std::uint64_t seed, const Body& body, double largest = 0) {
        const auto reference = reference::make_backend();
        const std::vector<Values> expected = body(*reference, base::Random(seed));
        compare(expected, body(*onednn::make_backend(Precision::f32), base::Random(seed)), 0, 0,
                seed);
        if (onednn::has_bf16())
            compare(expected, body(*onednn::make_backend(Precision::bf16), base::Random(seed)),
                    1.0 / 256, largest / 256, seed);
        if (cudnn::device_count() == 0) return;
        compare(expected, body(on_gpu(Precision::f32), base::Random(seed)), 0, 0, seed);
        compare(expected, body(on_gpu(Precision::bf16), base::Random(seed)), 1.0 / 256,
                largest / 256, seed);
    }

  private:
    /// Made once: starting cuDNN takes a second.
    static Backend& on_gpu(Precision precision) {
        static const auto exact = cudnn::make_backend(Precision::f32);
        static const auto rounded = cudnn::make_backend(Precision::bf16);
        return precision == Precision::f32 ? *exact : *rounded;
    }
    static void compare(const std::vector<Values>& expected, const std::vector<Values>& found,
                        double relative, double absolute, std::uint64_t seed) {
        ASSERT_EQ(expected.size(), found.size());
        for (std::size_t k = 0; k < expected.size(); ++k)
            for (std::size_t i = 0; i < expected[k].size(); ++i)
                ASSERT_NEAR(expected[k][i], found[k][i],
                            2e-5 + absolute + (relative + 2e-5) * std::abs(expected[k][i]))
                    << "seed " << seed << ", tensor " << k << ", element " << i;
    }
};

/// All passes of a convolution on drawn values.
std::vector<Values> run_convolution(Backend& backend, const ConvolutionShape& shape,
                                    base::Random& random) {
    const Tensor weights(backend, draw_values(random, weight_count(shape)));
    const Tensor bias(backend, draw_values(random, shape.output.channels));
    const Image x(backend, shape.input, draw_values(random, shape.input.elements()));
    const Image dy(backend, shape.output, draw_values(random, shape.output.elements()));
    const Image y(backend, shape.output), dx(backend, shape.input);
    const Tensor dweights(backend, weights.values());
    const Tensor dbias(backend, bias.values());

    const auto convolution = backend.convolution(shape);
    convolution->set_weights(weights.get(), shape.bias ? bias.get() : nullptr);
    convolution->forward(x.get(), shape.addend ? dy.get() : nullptr, y.get());
    convolution->backward_data(dy.get(), dx.get());
    convolution->backward_weights(x.get(), dy.get(), dweights.get(),
                                  shape.bias ? dbias.get() : nullptr);
    return {y.values(), dx.values(), dweights.values(), dbias.values()};
}

TEST_F(BackendsAgree, on_convolutions) {
    for (std::uint64_t seed = 0; seed < 60; ++seed)
        expect_equal(
            seed,
            [](Backend& backend, base::Random random) {
                auto shape = draw_convolution(random, 40);
                shape.activation = static_cast<Activation>(draw(random, 0, 3));
                shape.addend = random.chance(0.3);
                return run_convolution(backend, shape, random);
            },
            16);  // where bias and addend are not fused to a convolution, it is rounded before
}

TEST_F(BackendsAgree, on_depthwise_convolutions) {
    for (std::uint64_t seed = 0; seed < 40; ++seed)
        expect_equal(
            seed,
            [](Backend& backend, base::Random random) {
                return run_convolution(backend, draw_depthwise(random), random);
            },
            16);  // as above
}

TEST_F(BackendsAgree, on_convolutions_with_a_norm_folded_in) {
    for (std::uint64_t seed = 0; seed < 20; ++seed)
        expect_equal(
            seed,
            [](Backend& backend, base::Random random) {
                auto shape = draw_convolution(random, 40);
                shape.training = shape.data_gradient = false;
                const bool has_bias = shape.bias;
                shape.bias = true;
                const auto channels = shape.output.channels;
                const Tensor weights(backend, draw_values(random, weight_count(shape)));
                const Tensor bias(backend, draw_values(random, channels));
                const Tensor gamma(backend, draw_values(random, channels));
                const Tensor mean(backend, draw_values(random, channels));
                const Tensor variance(backend, Values(static_cast<std::size_t>(channels), 4));
                const Image x(backend, shape.input, draw_values(random, shape.input.elements()));
                const Image y(backend, shape.output);

                const auto convolution = backend.convolution(shape);
                convolution->set_folded_weights(
                    weights.get(), has_bias ? bias.get() : nullptr,
                    {.norm = NormTensors{gamma.get(), bias.get(), mean.get(), variance.get(), 1e-5},
                     .scale = random.chance(0.5) ? gamma.get() : nullptr});
                convolution->forward(x.get(), nullptr, y.get());
                return std::vector<Values>{y.values()};
            },
            16);  // folded weights are rounded: as many values of up to 1 as meet in an output
}

TEST_F(BackendsAgree, on_pooling) {
    for (std::uint64_t seed = 0; seed < 40; ++seed)
        expect_equal(
            seed,
            [](Backend& backend, base::Random random) {
                const auto shape = draw_pool(random, 40);
                const Image x(backend, shape.input, draw_values(random, shape.input.elements()));
                const Image dy(backend, shape.output, draw_values(random, shape.output.elements()));
                const Image y(backend, shape.output), dx(backend, shape.input);
                const auto pooling = backend.pooling(shape);
                pooling->forward(x.get(), y.get());
                pooling->backward(dy.get(), dx.get());
                return std::vector<Values>{y.values(), dx.values()};
            },
            4);  // gradients of up to 16 windows meet in one pixel, each sum of them rounded
}

TEST_F(BackendsAgree, on_batch_norm) {
    for (std::uint64_t seed = 0; seed < 40; ++seed)
        expect_equal(seed, [](Backend& backend, base::Random random) {
            const ImageShape shape{draw(random, 1, 5), draw(random, 1, 9), draw(random, 1, 9),
                                   draw(random, 1, 70)};
            const auto channels = shape.channels;
            const auto activation = draw_activation(random);
            const Image x(backend, shape, draw_values(random, shape.elements()));
            const Image addend(backend, shape, draw_values(random, shape.elements()));
            const Image dy(backend, shape, draw_values(random, shape.elements()));
            const Tensor gamma(backend, draw_values(random, channels));
            const Tensor beta(backend, draw_values(random, channels));
            const Tensor mean(backend, draw_values(random, channels));
            const Tensor variance(backend, Values(static_cast<std::size_t>(channels), 2));
            const Tensor dgamma(backend, gamma.values()), dbeta(backend, beta.values());
            const Image y(backend, shape), z(backend, shape), g(backend, shape), dx(backend, shape);

            // A small variance of few rows would make the gradient's rounding large.
            const auto norm = backend.batch_norm(
                {.image = shape, .eps = 1, .activation = activation, .training = true});
            const void* given = random.chance(0.5) ? addend.get() : nullptr;
            norm->set_running({gamma.get(), beta.get(), mean.get(), variance.get(), 1});
            norm->evaluate(x.get(), given, z.get());
            norm->train(x.get(), given, gamma.get(), beta.get(), mean.get(), variance.get(),
                        y.get());
            const void* gradients[] = {dy.get(), addend.get()};
            norm->backward(gradients, addend.get(), x.get(), g.get(), dx.get(), dgamma.get(),
                           dbeta.get());
            return std::vector<Values>{z.values(),     y.values(),     g.values(),
                                       dx.values(),    mean.values(),  variance.values(),
                                       dbeta.values(), dgamma.values()};
        });
}

TEST_F(BackendsAgree, on_batch_norms_whose_only_gradient_is_one_part) {
    for (std::uint64_t seed = 0; seed < 10; ++seed)
        expect_equal(seed, [](Backend& backend, base::Random random) {
            const ImageShape shape{draw(random, 1, 5), 3, 4, draw(random, 1, 70)};
            const Image x(backend, shape, draw_values(random, shape.elements()));
            const Image dy(backend, shape, draw_values(random, shape.elements()));
            const Tensor gamma(backend, draw_values(random, shape.channels));
            const Tensor mean(backend, gamma.values()), variance(backend, gamma.values());
            const Tensor dgamma(backend, gamma.values()), dbeta(backend, gamma.values());
            const Image y(backend, shape), dx(backend, shape);
            const auto norm = backend.batch_norm({.image = shape, .eps = 1, .training = true});
            norm->train(x.get(), nullptr, gamma.get(), gamma.get(), mean.get(), variance.get(),
                        y.get());
            const void* gradients[] = {dy.get()};
            norm->backward(gradients, nullptr, x.get(), nullptr, dx.get(), dgamma.get(),
                           dbeta.get());
            return std::vector<Values>{y.values(), dx.values(), dgamma.values(), dbeta.values()};
        });
}

TEST_F(BackendsAgree, on_layer_norm) {
    for (std::uint64_t seed = 0; seed < 40; ++seed)
        expect_equal(
            seed,
            [](Backend& backend, base::Random random) {
                const ImageShape shape{draw(random, 1, 5), draw(random, 1, 9), draw(random, 1, 9),
                                       draw(random, 1, 70)};
                const auto rows = shape.rows(), channels = shape.channels;
                const Image x(backend, shape, draw_values(random, shape.elements()));
                const Image dy(backend, shape, draw_values(random, shape.elements()));
                const Tensor weight(backend, draw_values(random, channels));
                const Tensor bias(backend, draw_values(random, channels));
                const LayerNormCoefficients by{weight.get(), bias.get(), 1e-2};
                const Image y(backend, shape), dx(backend, shape);
                const Tensor dweight(backend, weight.values()), dbias(backend, bias.values());

                backend.layer_norm(x.get(), rows, channels, by, y.get());
                const bool in_place = random.chance(0.5), wanted = random.chance(0.8);
                const Image& to = in_place ? dy : dx;
                backend.layer_norm_backward(dy.get(), x.get(), rows, channels, by,
                                            wanted ? to.get() : nullptr, dweight.get(),
                                            dbias.get());
                return std::vector<Values>{y.values(), wanted ? to.values() : Values{},
                                           dweight.values(), dbias.values()};
            },
            20);  // the distances from a row's mean, rounded, over a deviation of 0.1 at least
}

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

TEST(Cudnn, says_why_it_cannot_be_had) {
    if (cudnn::device_count() > 0) GTEST_SKIP() << "there is a GPU";
    try {
        cudnn::make_backend(Precision::f32);
        FAIL() << "a back end without a GPU";
    } catch (const std::runtime_error& error) {
        const std::string message = error.what();
        EXPECT_TRUE(message.find("NANOATLAS_CUDNN") != std::string::npos ||
                    message.find("no NVIDIA GPU") != std::string::npos)
            << message;
        EXPECT_NE(message.find("--backend onednn"), std::string::npos) << message;
    }
}

}  // namespace
}  // namespace nanoatlas::testing
