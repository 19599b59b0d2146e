// The kernels on 8-bit integers against the reference on random shapes. Where scales are powers of
// two and biases whole, f32 holds every intermediate and results are equal; else a value may fall
// to the other side of a half.
#include "kernels/reference/quantised.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "kernels/onednn/onednn.hpp"
#include "tests/kernels/cnn_shapes.hpp"

namespace nanoatlas::testing {
namespace {

using namespace kernels;

enum class Scales { powers_of_two, any };

Format draw_format(base::Random& random, Scales scales, double log2_scale) {
    const double exponent = scales == Scales::any ? log2_scale + random.uniform(-1, 1) : log2_scale;
    return {random.chance(0.5) ? Element::s8 : Element::u8,
            static_cast<float>(std::exp2(exponent))};
}

/// An image of any format, of elements from all over their range.
class Image {
  public:
    Image(const ImageShape& shape, const Format& format)
        : elements_(static_cast<std::size_t>(shape.elements())),
          format_(format),
          bytes_(elements_ * static_cast<std::size_t>(format.bytes())) {}
    Image(const ImageShape& shape, const Format& format, base::Random& random)
        : Image(shape, format) {
        for (std::size_t i = 0; i < elements_; ++i)
            if (format.is_integer())
                bytes_[i] = static_cast<std::byte>(draw(random, 0, 255));
            else
                reference::write_element(random.uniform(-4, 4), format, get(), i);
    }
    void* get() { return bytes_.data(); }
    const void* get() const { return bytes_.data(); }
    double operator[](std::size_t i) const {
        return reference::read_element(get(), i, {.element = format_.element});
    }
    std::size_t size() const { return elements_; }
    const Format& format() const { return format_; }

  private:
    std::size_t elements_;
    Format format_;
    std::vector<std::byte> bytes_;
};

void expect_equal(const Image& expected, const Image& found, Scales scales, std::uint64_t seed) {
    std::size_t off = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const double most =
            expected.format().is_integer() ? 1 : 1e-5 * std::abs(expected[i]) + 1e-5;
        ASSERT_NEAR(expected[i], found[i], most) << "seed " << seed << ", element " << i;
        if (expected[i] != found[i]) ++off;
    }
    if (!expected.format().is_integer()) return;
    if (scales == Scales::powers_of_two)
        EXPECT_EQ(off, 0) << "seed " << seed;
    else
        EXPECT_LE(off, expected.size() / 20 + 2) << "seed " << seed;
}

/// A convolution drawn with its weights.
struct Case {
    QuantisedConvolutionShape shape;
    std::vector<float> weights, bias;
};

Case draw_case(base::Random& random, Scales scales) {
    Case drawn;
    auto& shape = drawn.shape.shape;
    shape = draw_convolution(random, 40);
    shape.training = shape.data_gradient = false;
    shape.activation = draw_activation(random);
    if (scales == Scales::any && random.chance(0.2)) shape.activation = Activation::gelu;
    shape.addend = random.chance(0.4);
    drawn.shape.x = draw_format(random, scales, -6);
    drawn.shape.y = draw_format(random, scales, -5);
    if (shape.addend || random.chance(0.1)) drawn.shape.y = {};
    for (std::int64_t i = 0; i < weight_count(shape); ++i)
        drawn.weights.push_back(static_cast<float>(random.uniform(-0.1, 0.1)));
    for (std::int64_t i = 0; i < shape.output.channels; ++i)
        drawn.bias.push_back(static_cast<float>(draw(random, -4, 4)) / 4);
    return drawn;
}

std::size_t area(const ConvolutionShape& shape) {
    return static_cast<std::size_t>(shape.window.height * shape.window.width);
}

void compare_convolution(std::uint64_t seed, Scales scales) {
    base::Random random(seed);
    auto drawn = draw_case(random, scales);
    const auto& shape = drawn.shape.shape;
    const auto backend = onednn::make_quantised_backend();
    const auto convolution = backend->convolution(drawn.shape);
    auto weights = quantise_weights(drawn.weights, shape.output.channels, area(shape),
                                    backend->weight_bounds(shape, drawn.shape.x.element));
    if (scales == Scales::powers_of_two) std::ranges::fill(weights.scales, std::ldexp(1.0F, -9));
    const float* bias = shape.bias ? drawn.bias.data() : nullptr;
    const Image x(shape.input, drawn.shape.x, random);
    const Image addend(shape.output, {}, random);
    Image expected(shape.output, drawn.shape.y), found(shape.output, drawn.shape.y);

    const float* added = shape.addend ? static_cast<const float*>(addend.get()) : nullptr;
    reference::quantised_convolution(drawn.shape, x.get(), weights, bias, added, expected.get());
    convolution->set_weights(weights, bias);
    convolution->forward(x.get(), added, found.get());
    expect_equal(expected, found, scales, seed);
}

TEST(Quantised, convolutions_are_exact_up_to_the_rounding_of_what_is_put_out) {
    for (int seed = 0; seed < shrunk(150); ++seed) {
        compare_convolution(seed, Scales::powers_of_two);
        compare_convolution(seed, Scales::any);
    }
}

/// Weights as large as the bounds allow: pairs that share a sum in any way, and single ones.
QuantisedWeights draw_extreme(base::Random& random, const ConvolutionShape& shape,
                              const WeightBounds& bounds) {
    const auto count = static_cast<std::size_t>(weight_count(shape));
    const auto outputs = static_cast<std::size_t>(shape.output.channels);
    QuantisedWeights weights{.values = std::vector<std::int8_t>(count),
                             .scales = std::vector<float>(outputs, 1)};
    const auto length = count / outputs;
    for (std::size_t i = 0; i < count; ++i) {
        const auto place = i % length;
        const int sign = random.chance(0.8) ? 1 : -1;
        int most = bounds.single;
        if (place / area(shape) % 2 == 1) {
            const int other = weights.values[i - area(shape)];
            if (other * sign > 0) most = std::min(most, bounds.pair - std::abs(other));
            weights.values[i] = static_cast<std::int8_t>(sign * most);
        } else {
            weights.values[i] = static_cast<std::int8_t>(sign * draw(random, 0, most));
        }
    }
    return weights;
}

TEST(Quantised, the_largest_sums_do_not_overflow) {
    const auto backend = onednn::make_quantised_backend();
    for (int seed = 0; seed < shrunk(200); ++seed) {
        base::Random random(seed);
        auto shape = draw_convolution(random, 40);
        shape.training = shape.data_gradient = shape.bias = shape.addend = false;
        shape.activation = Activation::none;
        for (const auto element : {Element::s8, Element::u8})
            for (const std::uint8_t value : {0x80, 0x7F, 0xFF}) {
                const QuantisedConvolutionShape given{.shape = shape, .x = {element, 1}, .y = {}};
                const auto weights =
                    draw_extreme(random, shape, backend->weight_bounds(shape, element));
                Image x(shape.input, given.x), expected(shape.output, {}), found(shape.output, {});
                std::memset(x.get(), value, x.size());
                reference::quantised_convolution(given, x.get(), weights, nullptr, nullptr,
                                                 expected.get());
                const auto convolution = backend->convolution(given);
                convolution->set_weights(weights, nullptr);
                convolution->forward(x.get(), nullptr, found.get());
                expect_equal(expected, found, Scales::powers_of_two, seed);
            }
    }
}

TEST(Quantised, weights_are_rounded_in_the_finest_step_that_keeps_their_bounds) {
    const std::vector<float> weights{0.5F, -0.25F, 0, 0, -8, 4};
    const auto alone = quantise_weights(weights, 3, 1, {.single = 100, .pair = 200});
    EXPECT_EQ(alone.values, (std::vector<std::int8_t>{100, -50, 0, 0, -100, 50}));
    EXPECT_EQ(alone.scales, (std::vector<float>{0.005F, 1, 0.08F}));
    // Of one sign in channels 0 and 1 of one place: 6 + 4 at the first of two places.
    const std::vector<float> row{6, 1, 4, -9, 0, 3};
    const auto paired = quantise_weights(row, 1, 2, {.single = 100, .pair = 101});
    EXPECT_EQ(paired.values, (std::vector<std::int8_t>{60, 10, 40, -90, 0, 30}));
    EXPECT_EQ(paired.scales, (std::vector<float>{0.1F}));
}

TEST(Quantised, pooling_stays_in_its_format) {
    const auto backend = onednn::make_quantised_backend();
    for (int seed = 0; seed < shrunk(60); ++seed) {
        base::Random random(seed);
        auto shape = draw_pool(random, 40);
        shape.training = false;
        const auto format = draw_format(random, Scales::any, 0);
        const Image x(shape.input, format, random);
        Image expected(shape.output, format), found(shape.output, format);
        reference::quantised_pool(shape, format.element, x.get(), expected.get());
        backend->pooling(shape, format.element)->forward(x.get(), found.get());
        expect_equal(expected, found,
                     shape.kind == PoolKind::max ? Scales::powers_of_two : Scales::any, seed);
    }
}

TEST(Quantised, formats_become_one_another) {
    const auto backend = onednn::make_quantised_backend();
    for (int seed = 0; seed < shrunk(200); ++seed) {
        base::Random random(seed);
        const ImageShape shape{draw(random, 1, 3), draw(random, 1, 9), 3, draw(random, 1, 70)};
        const auto scales = random.chance(0.5) ? Scales::any : Scales::powers_of_two;
        const auto draw_any = [&](double scale) {
            return random.chance(0.3) ? Format{} : draw_format(random, scales, scale);
        };
        Rescaling how{.x = draw_any(-6), .y = draw_any(-5), .activation = draw_activation(random)};
        std::vector<float> factors, shifts;
        for (std::int64_t c = 0; c < shape.channels; ++c) {
            factors.push_back(static_cast<float>(draw(random, -16, 16)) / 8);
            shifts.push_back(static_cast<float>(draw(random, -16, 16)) / 8);
        }
        if (random.chance(0.5)) how.factors = factors, how.shifts = shifts;
        const Image x(shape, how.x, random);
        Image expected(shape, how.y), found(shape, how.y);
        reference::rescale(x.get(), shape.rows(), shape.channels, how, expected.get());
        backend->rescale(x.get(), shape.rows(), shape.channels, how, found.get());
        expect_equal(expected, found, scales, seed);
    }
}

TEST(Quantised, parts_of_a_concatenation_lie_side_by_side) {
    const std::vector<std::int8_t> left{1, 2, 3, 4}, right{5, 6};
    std::vector<std::int8_t> joined(6);
    const auto backend = onednn::make_quantised_backend();
    backend->copy_channels(left.data(), 2, joined.data(), 3, 0, 2, 2);
    backend->copy_channels(right.data(), 1, joined.data(), 3, 2, 1, 2);
    EXPECT_EQ(joined, (std::vector<std::int8_t>{1, 2, 5, 3, 4, 6}));
}

}  // namespace
}  // namespace nanoatlas::testing
