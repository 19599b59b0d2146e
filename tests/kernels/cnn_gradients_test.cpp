// The reference kernels' gradients against central differences, in f64.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>

#include "kernels/reference/cnn.hpp"
#include "tests/kernels/cnn_shapes.hpp"

namespace nanoatlas::testing {
namespace {

using namespace kernels;
using Values = std::vector<double>;

Values draw_doubles(base::Random& random, std::int64_t count) {
    Values values(static_cast<std::size_t>(count));
    for (auto& value : values) value = random.uniform(-1, 1);
    return values;
}

double dot(const Values& a, const Values& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

/// A test's scalar is dot(dy, y) with random dy, so that its gradient by y is dy.
void expect_gradient(const std::function<double()>& scalar, Values& x, const Values& dx,
                     double step = 1e-5, double tolerance = 1e-8) {
    for (std::size_t i = 0; i < x.size(); i += 1 + x.size() / 40) {
        const double old = x[i];
        x[i] = old + step;
        const double above = scalar();
        x[i] = old - step;
        const double below = scalar();
        x[i] = old;
        ASSERT_NEAR((above - below) / (2 * step), dx[i], tolerance * (1 + std::abs(dx[i])))
            << "element " << i;
    }
}

TEST(ReferenceGradients, of_convolutions) {
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
        base::Random random(seed);
        const auto shape = draw_convolution(random, 4);
        auto x = draw_doubles(random, shape.input.elements());
        auto weights = draw_doubles(random, weight_count(shape));
        auto bias = draw_doubles(random, shape.output.channels);
        const auto dy = draw_doubles(random, shape.output.elements());
        Values y(dy.size()), dx(x.size()), dweights(weights.size()), dbias(bias.size());
        const auto scalar = [&] {
            reference::convolution_forward<double>(shape, x.data(), weights.data(), bias.data(),
                                                   nullptr, y.data());
            return dot(dy, y);
        };
        reference::convolution_backward_data(shape, dy.data(), weights.data(), dx.data());
        reference::convolution_backward_weights(shape, x.data(), dy.data(), dweights.data(),
                                                dbias.data());
        expect_gradient(scalar, x, dx);
        expect_gradient(scalar, weights, dweights);
        expect_gradient(scalar, bias, dbias);
    }
}

TEST(ReferenceGradients, of_pooling) {
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
        base::Random random(seed);
        const auto shape = draw_pool(random, 3);
        auto x = draw_doubles(random, shape.input.elements());
        const auto dy = draw_doubles(random, shape.output.elements());
        Values y(dy.size()), dx(x.size());
        reference::pool_backward(shape, x.data(), dy.data(), dx.data());
        expect_gradient(
            [&] {
                reference::pool_forward(shape, x.data(), y.data());
                return dot(dy, y);
            },
            x, dx);
    }
}

TEST(ReferenceGradients, of_adaptive_averages) {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        base::Random random(seed);
        const ImageShape input{2, draw(random, 1, 9), draw(random, 1, 9), 3};
        const ImageShape output{2, draw(random, 1, 9), draw(random, 1, 9), 3};
        auto x = draw_doubles(random, input.elements());
        const auto dy = draw_doubles(random, output.elements());
        Values y(dy.size()), dx(x.size());
        reference::adaptive_average_backward(dy.data(), input, output, dx.data());
        expect_gradient(
            [&] {
                reference::adaptive_average(x.data(), input, output, y.data());
                return dot(dy, y);
            },
            x, dx);
    }
}

TEST(ReferenceGradients, of_sums_with_activations) {
    for (std::uint64_t seed = 0; seed < 6; ++seed) {
        base::Random random(seed);
        const auto activation = draw_activation(random);
        auto a = draw_doubles(random, 60), b = draw_doubles(random, 60);
        for (auto& value : b) value *= 10;  // some beyond 6
        const auto dy = draw_doubles(random, 60);
        Values y(60), dx(60);
        const auto scalar = [&] {
            const double* parts[] = {a.data(), b.data()};
            reference::add<double>(parts, activation, 60, y.data());
            return dot(dy, y);
        };
        scalar();
        const double* gradients[] = {dy.data()};
        reference::activation_backward<double>(gradients, y.data(), activation, 60, dx.data());
        expect_gradient(scalar, a, dx);
        expect_gradient(scalar, b, dx);
    }
}

TEST(ReferenceGradients, of_dropout) {
    base::Random random(3);
    const ImageShape shape{2, 3, 4, 5};
    const DropoutKey key{.stream = 7, .first_sample = 11, .probability = 0.4};
    auto x = draw_doubles(random, shape.elements());
    const auto dy = draw_doubles(random, shape.elements());
    Values y(dy.size()), dx(x.size());
    reference::dropout(dy.data(), shape, key, dx.data());
    expect_gradient(
        [&] {
            reference::dropout(x.data(), shape, key, y.data());
            return dot(dy, y);
        },
        x, dx);
}

TEST(ReferenceGradients, of_layer_norm) {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        base::Random random(seed);
        const auto rows = draw(random, 1, 6), channels = draw(random, 2, 9);
        auto x = draw_doubles(random, rows * channels);
        const auto dy = draw_doubles(random, rows * channels);
        const auto weight = draw_values(random, channels), bias = draw_values(random, channels);
        const LayerNormCoefficients by{weight.data(), bias.data(), 1e-2};
        Values y(dy.size()), dx(x.size());
        std::vector<float> dweight(weight.size()), dbias(weight.size());
        reference::layer_norm_backward(dy.data(), x.data(), rows, channels, by, dx.data(),
                                       dweight.data(), dbias.data());
        const auto scalar = [&](const LayerNormCoefficients& coefficients) {
            reference::layer_norm(x.data(), rows, channels, coefficients, y.data());
            return dot(dy, y);
        };
        expect_gradient([&] { return scalar(by); }, x, dx, 1e-5, 1e-6);
        for (std::size_t c = 0; c < weight.size(); ++c) {
            // The output is linear in these: a step of 1 is exact in f32.
            auto moved = weight, shifted = bias;
            moved[c] += 1;
            shifted[c] += 1;
            const double here = scalar(by);
            EXPECT_NEAR(scalar({moved.data(), bias.data(), by.eps}) - here, dweight[c], 1e-5);
            EXPECT_NEAR(scalar({weight.data(), shifted.data(), by.eps}) - here, dbias[c], 1e-5);
        }
    }
}

TEST(ReferenceGradients, of_gelu) {
    base::Random random(1);
    auto x = draw_doubles(random, 60);
    for (auto& value : x) value *= 4;
    const auto dy = draw_doubles(random, 60);
    Values y(60), dx(60);
    reference::gelu_backward(dy.data(), x.data(), 60, dx.data());
    expect_gradient(
        [&] {
            reference::gelu(x.data(), 60, y.data());
            return dot(dy, y);
        },
        x, dx);
}

TEST(ReferenceGradients, of_scales) {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        base::Random random(seed);
        const ImageShape shape{draw(random, 1, 6), 2, 3, draw(random, 1, 5)};
        auto by_channel = draw_values(random, shape.channels);
        const Scale by{by_channel.data(), {.stream = seed, .first_sample = 3, .probability = 0.25}};
        auto x = draw_doubles(random, shape.elements()),
             addend = draw_doubles(random, shape.elements());
        const auto dy = draw_doubles(random, shape.elements());
        Values y(dy.size()), dx(x.size());
        std::vector<float> dby_channel(by_channel.size());
        reference::scale_backward(dy.data(), x.data(), shape, by, dx.data(), dby_channel.data());
        const auto scalar = [&] {
            reference::scale(x.data(), addend.data(), shape, by, y.data());
            return dot(dy, y);
        };
        expect_gradient(scalar, x, dx);
        expect_gradient(scalar, addend, dy);
        for (std::size_t c = 0; c < by_channel.size(); ++c) {
            const double here = scalar();
            by_channel[c] += 1;
            EXPECT_NEAR(scalar() - here, dby_channel[c], 1e-5);
            by_channel[c] -= 1;
        }
    }
}

/// The whole of a batch norm with the batch's statistics, put together from its stages.
class Norm {
  public:
    Norm(std::int64_t rows, std::int64_t channels, Activation activation)
        : rows_(rows), channels_(channels), activation_(activation) {}

    Values forward(const Values& x, const Values& addend) {
        const auto width = static_cast<std::size_t>(channels_);
        std::vector<double> sums(2 * width);
        reference::norm_sums(x.data(), rows_, channels_, sums.data());
        mean_.resize(width);
        scale_.resize(width);
        inverse_.resize(width);
        for (std::size_t c = 0; c < width; ++c) {
            const double mean = sums[c] / static_cast<double>(rows_);
            const double variance = sums[width + c] / static_cast<double>(rows_) - mean * mean;
            inverse_[c] = 1 / std::sqrt(variance + 1e-5);
            mean_[c] = static_cast<float>(mean);
            scale_[c] = static_cast<float>(gamma * inverse_[c]);
        }
        const std::vector<float> shift(width, 0.25F);
        Values y(x.size());
        reference::norm_forward(x.data(), addend.data(), rows_, channels_,
                                {mean_.data(), scale_.data(), shift.data()}, activation_, y.data());
        return y;
    }

    /// Gradients by x and by the addend.
    std::pair<Values, Values> backward(const Values& x, const Values& y, const Values& dy) {
        const auto width = static_cast<std::size_t>(channels_);
        Values g(x.size()), dx(x.size());
        std::vector<double> sums(2 * width);
        const double* gradients[] = {dy.data()};
        reference::norm_backward_sums<double>(gradients, y.data(), x.data(), rows_, channels_,
                                              mean_.data(), activation_, g.data(), sums.data());
        std::vector<float> by_input(width), constant(width);
        for (std::size_t c = 0; c < width; ++c) {
            const double factor = -scale_[c] / static_cast<double>(rows_);
            constant[c] = static_cast<float>(factor * sums[c]);
            by_input[c] = static_cast<float>(factor * inverse_[c] * inverse_[c] * sums[width + c]);
        }
        reference::norm_backward_data(
            g.data(), x.data(), rows_, channels_,
            {mean_.data(), scale_.data(), by_input.data(), constant.data()}, dx.data());
        return {dx, g};
    }

  private:
    static constexpr double gamma = 1.5;
    std::int64_t rows_, channels_;
    Activation activation_;
    std::vector<float> mean_, scale_;
    std::vector<double> inverse_;
};

TEST(ReferenceGradients, of_batch_norm) {
    for (const auto activation : {Activation::none, Activation::relu, Activation::relu6}) {
        base::Random random(static_cast<std::uint64_t>(activation));
        Norm norm(20, 3, activation);
        auto x = draw_doubles(random, 60), addend = draw_doubles(random, 60);
        const auto dy = draw_doubles(random, 60);
        const auto scalar = [&] { return dot(dy, norm.forward(x, addend)); };
        const auto y = norm.forward(x, addend);
        const auto [dx, daddend] = norm.backward(x, y, dy);
        // The coefficients are f32: 1e-7 over the step is the noise of the differences.
        expect_gradient(scalar, x, dx, 1e-3, 2e-3);
        expect_gradient(scalar, addend, daddend, 1e-3, 2e-3);
    }
}

}  // namespace
}  // namespace nanoatlas::testing
