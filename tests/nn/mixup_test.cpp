#include "nn/train/mixup.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace nanoatlas::nn {
namespace {

/// Beta(a, a) has mean 1/2 and variance 1 / (4 (2 a + 1)).
TEST(Mixup, shares_are_of_the_beta_distribution) {
    constexpr std::int64_t count = 40000;
    for (const double alpha : {0.05, 0.2, 1.0, 4.0}) {
        const auto mixing = draw_mixing(alpha, 1, 5, count);
        double sum = 0, squares = 0;
        std::int64_t below = 0;
        for (const double share : mixing.share) {
            ASSERT_TRUE(share >= 0 && share <= 1);
            sum += share;
            squares += (share - 0.5) * (share - 0.5);
            below += share < 0.25 ? 1 : 0;
        }
        const double variance = 1 / (4 * (2 * alpha + 1));
        EXPECT_NEAR(sum / count, 0.5, 5 * std::sqrt(variance / count));
        EXPECT_NEAR(squares / count, variance, 0.02 * variance + 5e-4) << alpha;
        if (alpha == 1) {
            EXPECT_NEAR(static_cast<double>(below) / count, 0.25, 0.012);
        }
    }
}

TEST(Mixup, partners_are_a_permutation_that_depends_on_the_pass) {
    auto first = draw_mixing(0.2, 1, 5, 100), again = draw_mixing(0.2, 1, 5, 100),
         next = draw_mixing(0.2, 1, 6, 100);
    EXPECT_EQ(first.partner, again.partner);
    EXPECT_EQ(first.share, again.share);
    EXPECT_NE(first.partner, next.partner);
    EXPECT_NE(first.share, next.share);
    std::ranges::sort(first.partner);
    for (std::int64_t i = 0; i < 100; ++i) EXPECT_EQ(first.partner[static_cast<std::size_t>(i)], i);
}

TEST(Mixup, nothing_is_mixed_with_nothing) {
    EXPECT_TRUE(draw_mixing(0.2, 1, 5, 0).partner.empty());
}

}  // namespace
}  // namespace nanoatlas::nn
