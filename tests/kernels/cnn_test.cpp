// The back ends against the reference on random shapes, in f32 and in bf16: convolutions, pooling
// and norms.
#include "kernels/reference/cnn.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "tests/kernels/cnn_backends.hpp"

namespace nanoatlas::testing {
namespace {

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
            16);  // gradients of up to 16 windows meet in one pixel; oneDNN rounds each sum of them
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
            const auto activation = draw_activation(random);
            const auto norm = backend.batch_norm(
                {.image = shape, .eps = 1, .activation = activation, .training = true});
            norm->train(x.get(), nullptr, gamma.get(), gamma.get(), mean.get(), variance.get(),
                        y.get());
            const void* gradients[] = {dy.get()};
            norm->backward(gradients, y.get(), x.get(), nullptr, dx.get(), dgamma.get(),
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
