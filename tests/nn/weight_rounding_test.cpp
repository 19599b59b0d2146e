// Rounded weights: what a convolution puts out with them, against rounding to the nearest.
#include "nn/weight_rounding.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/reference/cnn.hpp"
#include "tests/kernels/cnn_shapes.hpp"

namespace nanoatlas::testing {
namespace {

using namespace nn;
using kernels::ConvolutionShape;
using Values = std::vector<float>;

/// Images whose channels are mixtures of a few, so that errors of weights can make up for each
/// other; on the integers' grid.
Values draw_images(base::Random& random, const ConvolutionShape& shape, const ChannelFormat& x) {
    Values images;
    const auto channels = static_cast<std::size_t>(shape.input.channels);
    const bool is_signed = x.format.element == kernels::Element::s8;
    for (std::int64_t row = 0; row < shape.input.rows(); ++row) {
        const double a = random.uniform(0, 1), b = random.uniform(0, 1);
        for (std::size_t c = 0; c < channels; ++c) {
            const double mixed = (c % 3 == 0 ? a : b) * 200 + random.uniform(0, 20);
            const double integer = std::nearbyint(is_signed ? mixed / 2 - 40 : mixed);
            images.push_back(
                static_cast<float>(integer * x.factor(c) * x.format.scale + x.shift(c)));
        }
    }
    return images;
}

/// Of what is put out, by square, against the weights themselves.
double error(const ConvolutionShape& shape, const Values& images, const Values& weights,
             const Values& bias, const RoundedWeights& rounded, const ChannelFormat& x) {
    const auto elements = static_cast<std::size_t>(shape.output.elements());
    Values expected(elements), found(elements), integers(images);
    const auto channels = static_cast<std::size_t>(shape.input.channels);
    for (std::size_t i = 0; i < images.size(); ++i)
        integers[i] = (images[i] - x.shift(i % channels)) / x.factor(i % channels);
    Values steps(rounded.weights.values.begin(), rounded.weights.values.end());
    const auto length = steps.size() / static_cast<std::size_t>(shape.output.channels);
    for (std::size_t i = 0; i < steps.size(); ++i) steps[i] *= rounded.weights.scales[i / length];
    kernels::reference::convolution_forward<float>(shape, images.data(), weights.data(),
                                                   bias.data(), nullptr, expected.data());
    kernels::reference::convolution_forward<float>(shape, integers.data(), steps.data(),
                                                   rounded.bias.data(), nullptr, found.data());
    double sum = 0;
    for (std::size_t i = 0; i < elements; ++i) sum += std::pow(expected[i] - found[i], 2);
    return sum;
}

struct Case {
    ConvolutionShape shape;
    ChannelFormat x;
    Values images, weights, bias;
};

Case draw_case(base::Random& random) {
    Case drawn{
        .shape = draw_convolution(random, 40), .x = {}, .images = {}, .weights = {}, .bias = {}};
    auto& shape = drawn.shape;
    shape.training = shape.data_gradient = shape.addend = false;
    shape.bias = true;
    shape.activation = kernels::Activation::none;
    const auto& window = shape.window;
    const bool padded = window.top + window.left + window.bottom + window.right > 0;
    drawn.x.format = {random.chance(0.5) ? kernels::Element::s8 : kernels::Element::u8, 0.01F};
    for (std::int64_t c = 0; c < shape.input.channels; ++c) {
        drawn.x.factors.push_back(static_cast<float>(random.uniform(0.2, 1)));
        drawn.x.shifts.push_back(padded ? 0 : static_cast<float>(random.uniform(-1, 1)));
    }
    drawn.images = draw_images(random, shape, drawn.x);
    for (std::int64_t i = 0; i < weight_count(shape); ++i)
        drawn.weights.push_back(static_cast<float>(random.uniform(-1, 1)));
    for (std::int64_t i = 0; i < shape.output.channels; ++i)
        drawn.bias.push_back(static_cast<float>(random.uniform(-1, 1)));
    return drawn;
}

TEST(WeightRounding, errs_less_than_rounding_to_the_nearest_and_keeps_the_bounds) {
    const kernels::WeightBounds bounds{.single = 15, .pair = 16};
    double nearest_error = 0, rounded_error = 0;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        base::Random random(seed);
        const auto drawn = draw_case(random);
        const auto& shape = drawn.shape;
        const auto area = static_cast<std::size_t>(shape.window.height * shape.window.width);
        Moments moments(shape, drawn.x), none(shape, drawn.x);
        moments.add(drawn.images);
        const auto rounded = round_weights(shape, drawn.weights, drawn.bias, moments, bounds);
        const auto length = static_cast<std::size_t>(moments.inputs());
        for (std::size_t i = 0; i < rounded.weights.values.size(); ++i) {
            const int value = rounded.weights.values[i];
            EXPECT_LE(std::abs(value), bounds.single);
            const bool has_partner = i % length / area % 2 == 1;
            const int partner = has_partner ? rounded.weights.values[i - area] : 0;
            EXPECT_TRUE(value * partner <= 0 || std::abs(value + partner) <= bounds.pair);
        }
        // The same with the weights alone to the nearest: nothing is known of the images.
        auto nearest = rounded;
        Values scaled(drawn.weights);
        for (std::size_t i = 0; i < scaled.size(); ++i) {
            const auto group = i / length * static_cast<std::size_t>(shape.groups) /
                               static_cast<std::size_t>(shape.output.channels);
            const auto channels = static_cast<std::size_t>(shape.input.channels / shape.groups);
            scaled[i] *= drawn.x.factor(group * channels + i % length / area);
        }
        nearest.weights = kernels::quantise_weights(scaled, shape.output.channels, area, bounds);
        nearest_error += error(shape, drawn.images, drawn.weights, drawn.bias, nearest, drawn.x);
        rounded_error += error(shape, drawn.images, drawn.weights, drawn.bias, rounded, drawn.x);
    }
    EXPECT_LT(rounded_error, 0.3 * nearest_error);
}

TEST(WeightRounding, order_and_parts_of_images_do_not_show) {
    base::Random random(1);
    const auto drawn = draw_case(random);
    const auto elements =
        static_cast<std::size_t>(drawn.shape.input.elements() / drawn.shape.input.samples);
    Moments whole(drawn.shape, drawn.x), parts(drawn.shape, drawn.x);
    whole.add(drawn.images);
    for (std::size_t first = drawn.images.size(); first > 0; first -= elements)
        parts.add(std::span(drawn.images).subspan(first - elements, elements));
    for (std::int64_t group = 0; group < drawn.shape.groups; ++group)
        EXPECT_EQ(whole.covariance(group, 0, whole.block()),
                  parts.covariance(group, 0, parts.block()));
}

}  // namespace
}  // namespace nanoatlas::testing
