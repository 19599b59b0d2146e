// When a prediction is an answer.
#include "nn/train/rejection.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/check.hpp"
#include "base/random.hpp"

namespace nanoatlas::nn {
namespace {

std::vector<Judgement> judgements_of(const std::vector<std::pair<float, bool>>& rows) {
    std::vector<Judgement> judgements;
    for (const auto& [confidence, right] : rows)
        judgements.push_back({.truth = 0, .predicted = right ? 0 : 1, .confidence = confidence});
    return judgements;
}

TEST(Rejection, the_curve_has_a_point_for_each_confidence) {
    auto judgements =
        judgements_of({{0.5F, false}, {0.9F, true}, {0.75F, true}, {0.5F, true}, {0.75F, false}});
    judgements.push_back({.truth = 7, .predicted = 0, .confidence = 0.99F});  // an inner node
    const auto curve = coverage_curve(judgements, 2);
    ASSERT_EQ(curve.size(), 3U);
    EXPECT_EQ(curve[0].accepted, 1);
    EXPECT_EQ(curve[1].threshold, 0.75);
    EXPECT_EQ(curve[1].accepted, 3);
    EXPECT_NEAR(curve[1].precision(), 2.0 / 3, 1e-15);
    EXPECT_EQ(curve[2].accepted, 5);
    EXPECT_EQ(curve[2].right, 3);
    EXPECT_EQ(point_at(curve, 0.6).accepted, 3);
    EXPECT_EQ(point_at(curve, 0.75).accepted, 3);
    EXPECT_EQ(point_at(curve, 0.95).accepted, 0);
    EXPECT_TRUE(coverage_curve({}, 2).empty());
}

/// The tail of the binomial distribution summed term by term.
double tail(std::int64_t right, std::int64_t accepted, double probability) {
    double sum = 0;
    for (auto k = right; k <= accepted; ++k)
        sum += std::exp(std::lgamma(accepted + 1.0) - std::lgamma(k + 1.0) -
                        std::lgamma(accepted - k + 1.0) + k * std::log(probability) +
                        (accepted - k) * std::log1p(-probability));
    return sum;
}

TEST(Rejection, the_lower_limit_is_that_of_clopper_and_pearson) {
    EXPECT_NEAR(precision_lower_limit(8, 10, 0.025), 0.44390, 1e-5);  // as tabulated
    EXPECT_NEAR(precision_lower_limit(10, 10, 0.025), 0.69150, 1e-5);
    EXPECT_EQ(precision_lower_limit(0, 10, 0.05), 0);
    for (const auto& [right, accepted] : {std::pair{95, 100}, {297, 300}, {1, 5}})
        EXPECT_NEAR(tail(right, accepted, precision_lower_limit(right, accepted, 0.01)), 0.01,
                    1e-9);
}

TEST(Rejection, a_network_without_mistakes_answers_all_if_the_rows_suffice) {
    std::vector<std::pair<float, bool>> rows;
    for (int i = 0; i < 99; ++i) rows.emplace_back(0.5F + 0.005F * static_cast<float>(i), true);
    const auto chosen = choose_threshold(coverage_curve(judgements_of(rows), 2), 0.95);
    ASSERT_TRUE(chosen);
    EXPECT_EQ(chosen->value, 0.5);
    EXPECT_EQ(chosen->coverage, 1);
    EXPECT_EQ(chosen->precision, 1);
    EXPECT_EQ(chosen->target, 0.95);
    rows.pop_back();
    EXPECT_FALSE(choose_threshold(coverage_curve(judgements_of(rows), 2), 0.95));
    EXPECT_FALSE(choose_threshold({}, 0.95));
}

/// Rows whose confidence is their probability of being right.
std::vector<Judgement> honest_rows(int count, std::uint64_t seed) {
    base::Random random(seed);
    std::vector<std::pair<float, bool>> rows;
    for (int i = 0; i < count; ++i) {
        const double confidence = random.uniform(0.5, 1);
        rows.emplace_back(static_cast<float>(confidence), random.uniform(0, 1) < confidence);
    }
    return judgements_of(rows);
}

TEST(Rejection, the_precision_holds_on_other_rows) {
    // Above t the mean confidence is (1 + t) / 2: 0.9 needs t = 0.8, which 40 % reach.
    const auto others = coverage_curve(honest_rows(200000, 1), 2);
    int held = 0;
    for (std::uint64_t seed = 2; seed < 42; ++seed) {
        const auto chosen = choose_threshold(coverage_curve(honest_rows(2000, seed), 2), 0.9);
        ASSERT_TRUE(chosen);
        EXPECT_GT(chosen->coverage, 0.1);
        EXPECT_LT(chosen->coverage, 0.42);
        held += point_at(others, chosen->value).precision() >= 0.9 ? 1 : 0;
    }
    EXPECT_GE(held, 38);
}

TEST(Rejection, no_threshold_where_the_confidence_tells_nothing) {
    base::Random random(3);
    std::vector<std::pair<float, bool>> rows;
    for (int i = 0; i < 1000; ++i)
        rows.emplace_back(static_cast<float>(random.uniform(0, 1)), i % 2 == 0);
    EXPECT_FALSE(choose_threshold(coverage_curve(judgements_of(rows), 2), 0.9));
}

TEST(Rejection, the_target_is_a_share) {
    check_target_precision(0);
    check_target_precision(0.99);
    for (const double wrong : {1.0, -0.1, std::nan("")})
        EXPECT_THROW(check_target_precision(wrong), InputError);
}

TEST(Answer, is_the_deepest_node_that_is_sure_enough) {
    const std::vector<std::string> classes = {"A/a", "B/b", "B/c/1", "B/c/2", "D"};
    const Taxonomy taxonomy(classes);  // 5: A, 6: B, 7: B/c
    const std::vector<float> probabilities = {0.34F, 0.30F, 0.18F, 0.14F, 0.04F};
    EXPECT_EQ(answer_of(probabilities, taxonomy, 0), 0);
    EXPECT_EQ(answer_of(probabilities, taxonomy, 0.33), 0);
    EXPECT_EQ(answer_of(probabilities, taxonomy, 0.6), 6);
    EXPECT_EQ(answer_of(probabilities, taxonomy, 0.63), -1);
    EXPECT_EQ(answer_of(std::vector<float>{0.1F, 0.1F, 0.4F, 0.35F, 0.05F}, taxonomy, 0.7), 7);
    EXPECT_EQ(answer_of(std::vector<float>{0.1F, 0.1F, 0.35F, 0.4F, 0.05F}, taxonomy, 0.8), 6);
    const std::vector<std::string> flat = {"a", "b"};
    EXPECT_EQ(answer_of(std::vector<float>{0.6F, 0.4F}, Taxonomy(flat), 0.7), -1);
}

}  // namespace
}  // namespace nanoatlas::nn
