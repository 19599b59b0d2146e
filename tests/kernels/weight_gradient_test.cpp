// Our own weight gradient against the reference: shapes that need several bands, groups of samples,
// partial tiles, joined columns and shares of channels; both kinds of elements on any processor.
#include "kernels/onednn/weight_gradient.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include "kernels/onednn/element.hpp"
#include "kernels/reference/cnn.hpp"
#include "tests/kernels/cnn_shapes.hpp"

namespace nanoatlas::testing {
namespace {

using namespace kernels;
using Values = std::vector<float>;

/// Sides up to 40 pixels and up to 150 channels (fewer under sanitizers), most often square windows
/// as networks have them.
ConvolutionShape draw_large(base::Random& random) {
    const auto side = draw(random, 1, 3), stride = draw(random, 1, 2);
    ConvolutionShape shape{
        .input = {draw(random, 1, 9), draw(random, 5, 40), draw(random, 5, 40), 0},
        .output = {},
        .window = {side, side, stride, stride, side / 2, side / 2, side / 2, side / 2}};
    if (random.chance(0.3)) shape.window = draw_window(random, 2);
    shape.input.channels = random.chance(0.3) ? draw(random, 1, 4) : draw(random, 1, shrunk(150));
    shape.output = output_of(shape.input, shape.window, draw(random, 1, shrunk(150)));
    shape.bias = random.chance(0.5);
    shape.training = true;
    return shape;
}

template <class Element>
std::vector<Element> converted(const Values& values) {
    std::vector<Element> elements(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) onednn::store(values[i], elements[i]);
    return elements;
}

struct Gradients {
    Values weights, bias;
};

template <class Element>
Gradients ours(const ConvolutionShape& shape, const Values& x, const Values& dy) {
    const auto precision = std::is_same_v<Element, float> ? Precision::f32 : Precision::bf16;
    onednn::WeightGradient gradient(shape, std::make_shared<onednn::Engine>(precision));
    Gradients found{Values(static_cast<std::size_t>(weight_count(shape)), -1),
                    Values(static_cast<std::size_t>(shape.output.channels), -1)};
    const auto x_elements = converted<Element>(x), dy_elements = converted<Element>(dy);
    for (int run = 0; run < 2; ++run)  // what a run leaves behind must not show in the next
        gradient.run(x_elements.data(), dy_elements.data(), found.weights.data(),
                     shape.bias ? found.bias.data() : nullptr);
    return found;
}

/// Values are multiples of 1/64, so sums of up to 2^12 products are exact in f32: any order of
/// adding them gives the same, and a pixel too many or too few shows.
void expect_near(const Values& expected, const Values& found, const std::string& what) {
    for (std::size_t i = 0; i < expected.size(); ++i)
        ASSERT_NEAR(expected[i], found[i], 1e-4 + 1e-5 * std::abs(expected[i]))
            << what << ", element " << i;
}

void compare(const ConvolutionShape& shape, std::uint64_t seed, base::Random& random) {
    const auto x = draw_values(random, shape.input.elements());
    const auto dy = draw_values(random, shape.output.elements());
    Gradients expected{Values(static_cast<std::size_t>(weight_count(shape))),
                       Values(static_cast<std::size_t>(shape.output.channels))};
    reference::convolution_backward_weights(shape, x.data(), dy.data(), expected.weights.data(),
                                            shape.bias ? expected.bias.data() : nullptr);
    const auto check = [&](const Gradients& found, const char* kind) {
        const auto what = std::string(kind) + ", seed " + std::to_string(seed);
        expect_near(expected.weights, found.weights, what);
        if (shape.bias) expect_near(expected.bias, found.bias, what + ", bias");
    };
    check(ours<float>(shape, x, dy), "f32");
    check(ours<onednn::BFloat16>(shape, x, dy), "bf16");
}

void compare(std::uint64_t seed) {
    base::Random random(seed);
    const auto shape = draw_large(random);
    compare(shape, seed, random);
}

TEST(WeightGradient, agrees_with_reference_on_any_number_of_threads) {
    const int before = omp_get_max_threads();
    for (int seed = 0; seed < shrunk(24); ++seed) {
        omp_set_num_threads(1 + seed % 5);
        compare(seed);
    }
    omp_set_num_threads(before);
}

/// Windows of one pixel with few channels on one side, which are not packed.
TEST(WeightGradient, agrees_where_pixels_are_read_in_place) {
    const int before = omp_get_max_threads();
    for (int seed = 200; seed < 200 + shrunk(24); ++seed) {
        omp_set_num_threads(1 + seed % 4);
        base::Random random(seed);
        auto shape = draw_large(random);
        shape.window = {};
        shape.bias = false;
        const auto few = draw(random, 1, 48), many = 8 * draw(random, 1, 20);
        const bool narrows = random.chance(0.5);
        shape.input.channels = narrows ? many : few;
        shape.output = output_of(shape.input, shape.window, narrows ? (few + 7) / 8 * 8 : many);
        compare(shape, static_cast<std::uint64_t>(seed), random);
    }
    omp_set_num_threads(before);
}

TEST(WeightGradient, agrees_where_fewer_threads_come_than_were_planned) {
    const int before = omp_get_max_threads();
    omp_set_num_threads(4);
    for (int seed = 100; seed < 100 + shrunk(4); ++seed) {
#pragma omp parallel num_threads(2)
#pragma omp single
        compare(seed);  // a region within a region gets one thread
    }
    omp_set_num_threads(before);
}

}  // namespace
}  // namespace nanoatlas::testing
