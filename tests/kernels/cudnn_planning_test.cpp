// What the cuDNN back end decides before it needs a GPU.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "kernels/cudnn/chunks.hpp"
#include "kernels/cudnn/reduction.hpp"
#include "kernels/cudnn/route.hpp"
#include "tests/kernels/cnn_shapes.hpp"

namespace nanoatlas::kernels::cudnn {

/// Stands in for cuDNN's.
class Plan {};

namespace {

using testing::draw;
using testing::draw_convolution;

/// Finds a plan for what it is told to, and notes what it was asked for.
class Finder {
  public:
    Finder(bool fused, bool bare) : fused_(fused), bare_(bare) {}
    FindPlan get() {
        return [this](const PlanRequest& request) -> PlanPointer {
            asked.push_back(request);
            const bool found = request.epilogue ? fused_ : bare_;
            return found ? std::make_shared<const Plan>() : nullptr;
        };
    }
    std::vector<PlanRequest> asked;

  private:
    bool fused_, bare_;
};

ConvolutionShape some_shape(bool bias) {
    return {.input = {2, 9, 9, 8}, .output = {2, 9, 9, 16}, .window = {}, .bias = bias};
}

TEST(Route, takes_the_fused_plan_where_there_is_one) {
    Finder finder(true, true);
    const auto route = choose_route(some_shape(true), Precision::bf16, Pass::forward, finder.get());
    EXPECT_TRUE(route.plan != nullptr && route.fused);
    EXPECT_EQ(finder.asked.size(), 1U);
}

TEST(Route, falls_back_to_the_bare_convolution_and_then_to_the_plain_kernel) {
    for (const bool bare : {true, false}) {
        Finder finder(false, bare);
        const auto route =
            choose_route(some_shape(true), Precision::bf16, Pass::forward, finder.get());
        EXPECT_FALSE(route.fused);
        EXPECT_EQ(route.plan != nullptr, bare);
        ASSERT_EQ(finder.asked.size(), 2U);
        EXPECT_TRUE(finder.asked[0].epilogue);
        EXPECT_FALSE(finder.asked[1].epilogue);
    }
}

TEST(Route, asks_for_no_epilogue_that_is_not_there) {
    for (const auto pass : {Pass::forward, Pass::backward_data, Pass::backward_weights}) {
        Finder finder(true, true);
        const auto shape = some_shape(pass != Pass::forward);
        EXPECT_FALSE(choose_route(shape, Precision::f32, pass, finder.get()).fused);
        ASSERT_EQ(finder.asked.size(), 1U);
        EXPECT_FALSE(finder.asked[0].epilogue);
    }
}

TEST(Route, a_linear_layer_over_an_image_is_one_over_its_values) {
    ConvolutionShape linear{
        .input = {4, 7, 7, 512}, .output = {4, 1, 1, 1000}, .window = {7, 7}, .bias = true};
    const auto flat = flattened(linear);
    EXPECT_EQ(flat.input, (ImageShape{4, 1, 1, 7 * 7 * 512}));
    EXPECT_EQ(flat.window, Window{});
    EXPECT_EQ(flat.output, linear.output);
    auto padded = linear;
    padded.window.top = 1;
    EXPECT_EQ(flattened(padded), padded);
}

TEST(Route, flattening_keeps_the_work) {
    base::Random random(3);
    for (int i = 0; i < 200; ++i) {
        const auto shape = draw_convolution(random, 40);
        const auto flat = flattened(shape);
        EXPECT_EQ(testing::weight_count(shape), testing::weight_count(flat));
        EXPECT_EQ(shape.input.elements(), flat.input.elements());
        EXPECT_EQ(flattened(flat), flat);
    }
}

TEST(Reduction, covers_each_row_once_and_fills_the_device) {
    base::Random random(5);
    for (int i = 0; i < 1000; ++i) {
        const auto rows = draw(random, 0, 100) * draw(random, 1, 30000);
        const auto channels = draw(random, 1, 2048);
        const auto vector = channels % 8 == 0 ? 8 : 1;
        const auto plan = plan_reduction(rows, channels, vector);
        EXPECT_GE(plan.splits, 1);
        EXPECT_GE(plan.splits * plan.rows, rows);
        EXPECT_LE((plan.splits - 1) * plan.rows, std::max<std::int64_t>(rows - 1, 0));
        EXPECT_LE(plan.splits, 1056);   // so many partial sums that adding them up costs little
        EXPECT_LE(plan.splits, 65535);  // CUDA's largest grid in that direction
        if (rows < 200000) continue;
        EXPECT_GE(plan.splits * channel_blocks(channels, vector), 500) << "an idle GPU";
    }
}

TEST(Chunks, take_every_value_of_every_slice_once) {
    const std::vector<UpdateSlice> slices{
        {0, 5}, {9, largest_chunk}, {9000, 0}, {9001, 2 * largest_chunk + 1}};
    std::vector<int> taken(30000, -1);
    for (const auto& chunk : plan_chunks(slices)) {
        EXPECT_LE(chunk.count, largest_chunk);
        for (auto i = chunk.first; i < chunk.first + chunk.count; ++i) {
            EXPECT_EQ(taken[static_cast<std::size_t>(i)], -1);
            taken[static_cast<std::size_t>(i)] = chunk.slice;
        }
    }
    for (std::int64_t i = 0; i < std::ssize(taken); ++i) {
        int expected = -1;
        for (int s = 0; s < 4; ++s)
            if (i >= slices[static_cast<std::size_t>(s)].first &&
                i < slices[static_cast<std::size_t>(s)].first +
                        slices[static_cast<std::size_t>(s)].count)
                expected = s;
        ASSERT_EQ(taken[static_cast<std::size_t>(i)], expected) << i;
    }
}

}  // namespace
}  // namespace nanoatlas::kernels::cudnn
