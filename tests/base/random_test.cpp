#include "base/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>

namespace nanoatlas::base {
namespace {

TEST(Random, is_a_function_of_its_keys) {
    Random one(7, 1, 2), same(7, 1, 2), other_key(7, 1, 3), other_order(7, 2, 1);
    const auto first = one();
    EXPECT_EQ(first, same());
    EXPECT_NE(first, other_key());
    EXPECT_NE(first, other_order());
    EXPECT_NE(one(), first);
}

TEST(Random, neighbouring_keys_give_streams_without_common_numbers) {
    std::set<std::uint64_t> seen;
    for (int key = 0; key < 1000; ++key) {
        Random random(1, key);
        for (int i = 0; i < 20; ++i) seen.insert(random());
    }
    EXPECT_EQ(seen.size(), 20000U);
}

TEST(Random, uniform_numbers_fill_the_interval_evenly) {
    constexpr int bins = 20, draws = 200000;
    std::array<int, bins> counts{};
    Random random(3);
    for (int i = 0; i < draws; ++i) {
        const double value = random.uniform();
        ASSERT_GE(value, 0);
        ASSERT_LT(value, 1);
        ++counts[static_cast<std::size_t>(value * bins)];
    }
    double chi_squared = 0;
    for (const int count : counts)
        chi_squared += (count - draws / bins) * (count - draws / bins) / double(draws / bins);
    EXPECT_LT(chi_squared, 43.8);  // 19 degrees of freedom, 0.1 %
}

TEST(Random, below_reaches_every_value_and_none_beyond) {
    std::array<int, 7> counts{};
    Random random(4);
    for (int i = 0; i < 7000; ++i) ++counts.at(random.below(7));
    EXPECT_GT(*std::min_element(counts.begin(), counts.end()), 850);
}

TEST(Random, normal_numbers_have_mean_zero_and_variance_one) {
    double sum = 0, squares = 0;
    constexpr int draws = 100000;
    Random random(5);
    for (int i = 0; i < draws; ++i) {
        const double value = random.normal();
        sum += value;
        squares += value * value;
    }
    EXPECT_NEAR(sum / draws, 0, 0.015);
    EXPECT_NEAR(squares / draws, 1, 0.02);
}

TEST(Permutation, holds_every_number_once_and_moves_them) {
    const auto order = permutation(1000, Random(6));
    auto sorted = order;
    std::sort(sorted.begin(), sorted.end());
    std::int64_t in_place = 0;
    for (std::int64_t i = 0; i < 1000; ++i) {
        ASSERT_EQ(sorted[static_cast<std::size_t>(i)], i);
        in_place += order[static_cast<std::size_t>(i)] == i;
    }
    EXPECT_LT(in_place, 10);
    EXPECT_TRUE(permutation(0, Random(6)).empty());
}

TEST(Fnv1a, agrees_with_published_values) {
    EXPECT_EQ(fnv1a(""), 0xcbf29ce484222325ULL);
    EXPECT_EQ(fnv1a("a"), 0xaf63dc4c8601ec8cULL);
    EXPECT_EQ(fnv1a("foobar"), 0x85944171f73967e8ULL);
}

}  // namespace
}  // namespace nanoatlas::base
