// Tests of shares and ranks against scipy 1.17.
#include "cluster/significance.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace nanoatlas::cluster {
namespace {

// scipy.stats.hypergeom.logsf(found - 1, rows, marked, drawn)
TEST(Significance, shares_as_scipy) {
    EXPECT_NEAR(log_chance_of_as_many(5, 10, 20, 100), -3.6704681304262974, 1e-12);
    EXPECT_NEAR(log_chance_of_as_many(40, 50, 60, 1000), -106.38075117675348, 1e-10);
    EXPECT_NEAR(log_chance_of_as_many(3, 10, 50, 100), -0.04690669553685794, 1e-13);
    EXPECT_NEAR(log_chance_of_as_many(1, 10, 50, 100), -0.0005935958157277173, 1e-15);
    EXPECT_NEAR(log_chance_of_as_many(300, 300, 20000, 150000), -606.4254853495513, 1e-8);
    EXPECT_NEAR(log_chance_of_as_many(2, 3, 2, 1000000), -25.839260647314504, 1e-8);
    EXPECT_NEAR(log_chance_of_as_many(12, 200, 900, 1224), 0, 1e-100);
}

TEST(Significance, shares_that_cannot_be_otherwise) {
    EXPECT_EQ(log_chance_of_as_many(0, 5, 5, 10), 0);
    EXPECT_EQ(log_chance_of_as_many(3, 3, 10, 10), 0);  // all rows have it
    EXPECT_EQ(log_chance_of_as_many(4, 8, 6, 10), 0);   // fewer are impossible
    EXPECT_LT(log_chance_of_as_many(5, 8, 6, 10), 0);
}

// scipy.stats.mannwhitneyu([1, 2, 2, 5, 7.5], [2, 3, 3, 8, 9, 10, 11, 2.5], method="asymptotic")
TEST(Significance, ranks_as_scipy_with_ties) {
    const double nan = std::nan("");
    const auto ranks = rank_values(
        std::vector<double>{1, 2, nan, 2, 5, 7.5, 2, 3, 3, 8, 9, 10, HUGE_VAL, 11, 2.5});
    EXPECT_EQ(ranks.count, 13);
    EXPECT_EQ(ranks.ties, 24 + 6);
    EXPECT_EQ(ranks.rank[1], 3);
    EXPECT_EQ(ranks.rank[7], 6.5);
    EXPECT_TRUE(std::isnan(ranks.rank[2]));
    const auto test = rank_test(1 + 3 + 3 + 8 + 9, 5, ranks);
    EXPECT_DOUBLE_EQ(test.above, 9.0 / 40);
    EXPECT_NEAR(std::exp(test.log_chance), 0.12169231580508443, 1e-14);
}

// Where scipy's p is 0: log 2 + scipy.stats.norm.logsf(z) with mannwhitneyu's z of
// numpy.arange(2000) + 1500 against numpy.arange(2000), 51.34.
TEST(Significance, ranks_far_beyond_the_range_of_f64) {
    std::vector<double> values;
    for (int i = 0; i < 2000; ++i) values.push_back(i + 1500);
    for (int i = 0; i < 2000; ++i) values.push_back(i);
    const auto ranks = rank_values(values);
    double sum = 0;
    for (std::size_t i = 0; i < 2000; ++i) sum += ranks.rank[i];
    const auto test = rank_test(sum, 2000, ranks);
    EXPECT_DOUBLE_EQ(test.above, 0.96875);
    EXPECT_NEAR(test.log_chance, -1322.1939167494531, 1e-8);
}

TEST(Significance, ranks_that_say_nothing) {
    const auto equal = rank_values(std::vector<double>{4, 4, 4, 4});
    EXPECT_EQ(rank_test(5, 2, equal).log_chance, 0);
    EXPECT_EQ(rank_test(5, 2, equal).above, 0.5);
    EXPECT_EQ(rank_test(10, 4, equal).log_chance, 0);
    EXPECT_EQ(rank_test(0, 0, equal).above, 0.5);
}

// scipy.stats.false_discovery_control([.01, .04, .03, .5, .001])
TEST(Significance, false_discovery_rates_as_scipy) {
    std::vector<double> chances;
    for (const double p : {.01, .04, .03, .5, .001}) chances.push_back(std::log(p));
    const auto rates = false_discovery_rates(chances);
    const std::vector<double> expected = {.025, .05, .05, .5, .005};
    for (std::size_t i = 0; i < rates.size(); ++i)
        EXPECT_NEAR(std::exp(rates[i]), expected[i], 1e-14) << i;
    EXPECT_TRUE(false_discovery_rates({}).empty());
}

}  // namespace
}  // namespace nanoatlas::cluster
