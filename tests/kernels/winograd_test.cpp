// Winograd's convolutions against the reference: shapes with partial tiles, channels that end
// within a register, paddings on one side only, several blocks of tiles.
#include <gtest/gtest.h>
#include <omp.h>

#include <array>
#include <cmath>
#include <limits>

#include "kernels/onednn/engine.hpp"
#include "kernels/reference/cnn.hpp"
#include "tests/kernels/cnn_shapes.hpp"

namespace nanoatlas::testing {
namespace {

using namespace kernels;
using Values = std::vector<float>;

ConvolutionShape draw_shape(base::Random& random) {
    ConvolutionShape shape{.input = {draw(random, 1, 9), draw(random, 3, 24), draw(random, 3, 24),
                                     draw(random, 16, shrunk(120))},
                           .output = {},
                           .window = {3, 3, 1, 1, 1, 1, 1, 1}};
    if (random.chance(0.5)) {
        auto& window = shape.window;
        window.top = draw(random, 0, 3), window.bottom = draw(random, 0, 3);
        window.left = draw(random, 0, 3), window.right = draw(random, 0, 3);
    }
    shape.output = output_of(shape.input, shape.window, draw(random, 16, shrunk(120)));
    shape.bias = random.chance(0.5);
    shape.addend = random.chance(0.3);
    constexpr std::array activations{Activation::none, Activation::relu, Activation::relu6};
    shape.activation = activations[random.below(3)];
    shape.training = shape.data_gradient = true;
    return shape;
}

/// What one convolution puts out, in all passes.
struct Passes {
    Values y, dx, dweights, dbias;
    explicit Passes(const ConvolutionShape& shape)
        : y(static_cast<std::size_t>(shape.output.elements()), -1),
          dx(static_cast<std::size_t>(shape.input.elements()), -1),
          dweights(static_cast<std::size_t>(weight_count(shape)), -1),
          dbias(static_cast<std::size_t>(shape.output.channels), -1) {}
};

struct Inputs {
    Values x, dy, addend, weights, bias;
    Inputs(const ConvolutionShape& shape, base::Random& random)
        : x(draw_values(random, shape.input.elements())),
          dy(draw_values(random, shape.output.elements())),
          addend(draw_values(random, shape.output.elements())),
          weights(draw_values(random, weight_count(shape))),
          bias(draw_values(random, shape.output.channels)) {}
};

Passes run(Convolution& convolution, const ConvolutionShape& shape, const Inputs& in) {
    Passes out(shape);
    convolution.set_weights(in.weights.data(), shape.bias ? in.bias.data() : nullptr);
    convolution.forward(in.x.data(), shape.addend ? in.addend.data() : nullptr, out.y.data());
    convolution.backward_data(in.dy.data(), out.dx.data());
    convolution.backward_weights(in.x.data(), in.dy.data(), out.dweights.data(),
                                 shape.bias ? out.dbias.data() : nullptr);
    return out;
}

std::unique_ptr<Convolution> ours(const ConvolutionShape& shape) {
    EXPECT_TRUE(onednn::suits_winograd(shape, Precision::f32));
    return onednn::make_winograd(shape, std::make_shared<onednn::Engine>(Precision::f32));
}

void expect_near(const Values& expected, const Values& found, const std::string& what) {
    ASSERT_EQ(expected.size(), found.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
        ASSERT_NEAR(expected[i], found[i], 2e-4 + 1e-5 * std::abs(expected[i]))
            << what << ", element " << i;
}

void compare(std::uint64_t seed) {
    base::Random random(seed);
    const auto shape = draw_shape(random);
    const Inputs in(shape, random);
    const auto convolution = ours(shape);
    run(*convolution, shape, in);  // what a run leaves behind must not show in the next
    const auto found = run(*convolution, shape, in);
    const auto expected = run(*reference::make_backend()->convolution(shape), shape, in);
    const auto what = "seed " + std::to_string(seed);
    expect_near(expected.y, found.y, what + ", forward");
    expect_near(expected.dx, found.dx, what + ", data");
    expect_near(expected.dweights, found.dweights, what + ", weights");
    expect_near(expected.dbias, found.dbias, what + ", bias");
}

class Winograd : public ::testing::Test {
  protected:
    ~Winograd() override { omp_set_num_threads(threads_); }

  private:
    int threads_ = omp_get_max_threads();
};

TEST_F(Winograd, agrees_with_reference_on_any_number_of_threads) {
    for (int seed = 0; seed < shrunk(24); ++seed) {
        omp_set_num_threads(1 + seed % 5);
        compare(seed);
    }
}

TEST_F(Winograd, agrees_where_fewer_threads_come_than_were_planned) {
    omp_set_num_threads(4);
    for (int seed = 100; seed < 100 + shrunk(4); ++seed) {
#pragma omp parallel num_threads(2)
#pragma omp single
        compare(seed);  // a region within a region gets one thread
    }
}

/// So extraction gives the same bits on any number of ranks.
TEST_F(Winograd, a_sample_gives_the_same_bits_in_any_batch) {
    base::Random random(7);
    auto shape = draw_shape(random);
    shape.input.samples = shape.output.samples = 5;
    const Inputs all(shape, random);
    const auto together = run(*ours(shape), shape, all);
    auto single = shape;
    single.input.samples = single.output.samples = 1;
    omp_set_num_threads(3);
    for (std::int64_t sample = 0; sample < 5; ++sample) {
        const auto part = [&](const Values& values, std::int64_t size) {
            return Values(values.begin() + sample * size, values.begin() + (sample + 1) * size);
        };
        Inputs in = all;
        in.x = part(all.x, single.input.elements());
        in.dy = part(all.dy, single.output.elements());
        in.addend = part(all.addend, single.output.elements());
        const auto alone = run(*ours(single), single, in);
        EXPECT_EQ(alone.y, part(together.y, single.output.elements()));
        EXPECT_EQ(alone.dx, part(together.dx, single.input.elements()));
    }
}

/// A network that has diverged must not look sound again behind an activation.
TEST_F(Winograd, nan_passes_through_activations) {
    base::Random random(8);
    auto shape = draw_shape(random);
    shape.activation = Activation::relu6;
    shape.window = {3, 3, 1, 1, 1, 1, 1, 1};
    shape.output = output_of(shape.input, shape.window, shape.output.channels);
    Inputs in(shape, random);
    in.x[0] = std::numeric_limits<float>::quiet_NaN();
    const auto out = run(*ours(shape), shape, in);
    EXPECT_TRUE(std::isnan(out.y[0]));
}

}  // namespace
}  // namespace nanoatlas::testing
