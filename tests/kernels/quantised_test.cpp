// The kernels on 8-bit integers against the reference on random shapes. Where scales are powers of
// two and biases whole, f32 holds every intermediate and results are equal; else a value may fall
// to the other side of a half.
#include "kernels/reference/quantised.hpp"

#include <gtest/gtest.h>

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
    drawn.shape.addend = draw_format(random, scales, -4);
    drawn.shape.y = draw_format(random, scales, -5);
    if (random.chance(0.2)) drawn.shape.y = drawn.shape.addend = {};
    for (std::int64_t i = 0; i < weight_count(shape); ++i)
        drawn.weights.push_back(static_cast<float>(random.uniform(-0.1, 0.1)));
    for (std::int64_t i = 0; i < shape.output.channels; ++i)
        drawn.bias.push_back(static_cast<float>(draw(random, -4, 4)) / 4);
    return drawn;
}

/// The largest weight of each channel becomes what makes the channel's scale 2^-9.
void round_scales(Case& drawn, int limit) {
    const auto outputs = static_cast<std::size_t>(drawn.shape.shape.output.channels);
    const float largest = std::ldexp(static_cast<float>(limit), -9);
    for (std::size_t first = 0; first < drawn.weights.size();
         first += drawn.weights.size() / outputs)
        drawn.weights[first] = largest;
}

void compare_convolution(std::uint64_t seed, Scales scales) {
    base::Random random(seed);
    auto drawn = draw_case(random, scales);
    const auto& shape = drawn.shape.shape;
    const auto convolution = onednn::make_quantised_backend()->convolution(drawn.shape);
    const int limit = convolution->weight_limit();
    if (scales == Scales::powers_of_two) round_scales(drawn, limit);
    const auto weights = quantise_weights(drawn.weights, shape.output.channels, limit);
    const float* bias = shape.bias ? drawn.bias.data() : nullptr;
    const Image x(shape.input, drawn.shape.x, random);
    const Image addend(shape.output, drawn.shape.addend, random);
    Image expected(shape.output, drawn.shape.y), found(shape.output, drawn.shape.y);

    const void* added = shape.addend ? addend.get() : nullptr;
    reference::quantised_convolution(drawn.shape, x.get(), weights, bias, added, expected.get());
    convolution->set_weights(drawn.weights.data(), bias);
    convolution->forward(x.get(), added, found.get());
    expect_equal(expected, found, scales, seed);
}

TEST(Quantised, convolutions_are_exact_up_to_the_rounding_of_what_is_put_out) {
    for (std::uint64_t seed = 0; seed < 150; ++seed) {
        compare_convolution(seed, Scales::powers_of_two);
        compare_convolution(seed, Scales::any);
    }
}

TEST(Quantised, the_largest_sums_do_not_overflow) {
    for (const auto element : {Element::s8, Element::u8})
        for (const std::uint8_t value : {0x80, 0x7F, 0xFF}) {
            const ConvolutionShape shape{
                .input = {1, 1, 1, 64}, .output = {1, 1, 1, 1}, .window = {}};
            const auto convolution = onednn::make_quantised_backend()->convolution(
                {.shape = shape, .x = {element, 1}, .addend = {}, .y = {}});
            for (const float sign : {-1.0F, 1.0F}) {
                const std::vector<float> weights(64, sign);
                const std::vector<std::uint8_t> x(64, value);
                float y = 0;
                convolution->set_weights(weights.data(), nullptr);
                convolution->forward(x.data(), nullptr, &y);
                const double each = reference::read_element(x.data(), 0, {.element = element});
                EXPECT_NEAR(y, 64 * sign * each, 1e-4 * std::abs(each)) << int{value};
            }
        }
}

TEST(Quantised, weights_keep_their_relation_within_a_channel) {
    const std::vector<float> weights{0.5F, -0.25F, 0, 0, -8, 4};
    const auto quantised = quantise_weights(weights, 3, 100);
    EXPECT_EQ(quantised.values, (std::vector<std::int8_t>{100, -50, 0, 0, -100, 50}));
    EXPECT_EQ(quantised.scales, (std::vector<float>{0.005F, 1, 0.08F}));
}

TEST(Quantised, pooling_stays_in_its_format) {
    const auto backend = onednn::make_quantised_backend();
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
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
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
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

TEST(Quantised, averages_are_f32) {
    const auto backend = onednn::make_quantised_backend();
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        base::Random random(seed);
        const ImageShape input{draw(random, 1, 3), draw(random, 1, 9), draw(random, 1, 9),
                               draw(random, 1, 40)};
        const ImageShape output{input.samples, draw(random, 1, input.height),
                                draw(random, 1, input.width), input.channels};
        const Image x(input, draw_format(random, Scales::any, -4), random);
        Image expected(output, {}), found(output, {});
        reference::quantised_adaptive_average(x.get(), x.format(), input, output,
                                              static_cast<float*>(expected.get()));
        backend->adaptive_average(x.get(), x.format(), input, output,
                                  static_cast<float*>(found.get()));
        expect_equal(expected, found, Scales::any, seed);
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
