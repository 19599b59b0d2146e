// Ranges of values by channel, whatever their order.
#include "nn/ranges.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/check.hpp"

namespace nanoatlas::testing {
namespace {

using namespace nn;

TEST(Ranges, reach_as_far_as_the_values_and_to_zero) {
    Range range(3);
    range.add(std::vector<float>{1, -2, 3, 0.5F, -1, -4});
    EXPECT_EQ(range.low, (std::vector<float>{0, -2, -4}));
    EXPECT_EQ(range.high, (std::vector<float>{1, 0, 3}));
    range.add(std::vector<float>{7, 0, 0});
    EXPECT_EQ(range.high, (std::vector<float>{7, 0, 3}));
    EXPECT_EQ(range.highest(), 7);
    EXPECT_EQ(range.lowest(), -4);
}

TEST(Ranges, values_that_are_not_finite_are_refused) {
    for (const float value : {NAN, INFINITY, -INFINITY})
        EXPECT_THROW(Range(3).add(std::vector<float>{1, value, 2}), InputError);
}

}  // namespace
}  // namespace nanoatlas::testing
