// Metrics against values worked out by hand (and scikit-learn's for the F1 scores).
#include "nn/train/metrics.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace nanoatlas::nn {
namespace {

std::vector<Judgement> judgements_of(const std::vector<std::pair<int, int>>& truth_and_predicted) {
    std::vector<Judgement> judgements;
    for (const auto& [truth, predicted] : truth_and_predicted)
        judgements.push_back({.truth = truth, .predicted = predicted, .confidence = 1});
    return judgements;
}

TEST(Metrics, a_row_is_judged_by_its_probabilities) {
    const std::vector<float> probabilities = {0.1F, 0.4F, 0.2F, 0.3F};
    const auto judgement = judge(probabilities, 2);
    EXPECT_EQ(judgement.predicted, 1);
    EXPECT_EQ(judgement.rank_of_truth, 2);
    EXPECT_FLOAT_EQ(judgement.confidence, 0.4F);
    EXPECT_NEAR(judgement.loss, -std::log(0.2), 1e-6);
    EXPECT_EQ(judge(std::vector<float>{0.5F, 0.5F}, 1).predicted, 0);
}

TEST(Metrics, precision_recall_and_f1) {
    // sklearn.metrics.classification_report([0,0,0,1,1,2], [0,0,1,1,2,1])
    const auto metrics =
        compute_metrics(judgements_of({{0, 0}, {0, 0}, {0, 1}, {1, 1}, {1, 2}, {2, 1}}), 3);
    EXPECT_NEAR(metrics.accuracy, 0.5, 1e-12);
    EXPECT_NEAR(metrics.by_class[0].precision, 1, 1e-12);
    EXPECT_NEAR(metrics.by_class[0].recall, 2.0 / 3, 1e-12);
    EXPECT_NEAR(metrics.by_class[0].f1, 0.8, 1e-12);
    EXPECT_NEAR(metrics.by_class[1].precision, 1.0 / 3, 1e-12);
    EXPECT_NEAR(metrics.by_class[1].f1, 0.4, 1e-12);
    EXPECT_EQ(metrics.by_class[2].f1, 0);
    EXPECT_EQ(metrics.by_class[2].support, 1);
    EXPECT_NEAR(metrics.macro_f1, 0.4, 1e-12);
    EXPECT_EQ(metrics.confusion, (std::vector<std::int64_t>{2, 1, 0, 0, 1, 1, 0, 1, 0}));
}

TEST(Metrics, classes_that_do_not_occur_do_not_count_in_the_mean) {
    const auto metrics = compute_metrics(judgements_of({{0, 0}, {2, 2}}), 4);
    EXPECT_EQ(metrics.macro_f1, 1);
    EXPECT_EQ(metrics.by_class[1].precision, 0);
}

TEST(Metrics, calibration_error_weighs_the_gap_of_each_bin) {
    // Ten rows at 0.75, seven right: gap 0.05; ten at 0.95, all right: gap 0.05.
    std::vector<Judgement> judgements;
    for (int i = 0; i < 10; ++i) judgements.push_back({0, i < 7 ? 0 : 1, 0, 0.75F, 0});
    for (int i = 0; i < 10; ++i) judgements.push_back({0, 0, 0, 0.95F, 0});
    EXPECT_NEAR(compute_metrics(judgements, 2).calibration_error, 0.05, 1e-7);
}

TEST(Metrics, top3_counts_the_rank_of_the_truth) {
    std::vector<Judgement> judgements(4, Judgement{.truth = 0, .predicted = 1, .confidence = 1});
    judgements[1].rank_of_truth = 2;
    judgements[2].rank_of_truth = 3;
    judgements[3].rank_of_truth = 4;
    EXPECT_EQ(compute_metrics(judgements, 5).top3, 0.5);
}

TEST(Metrics, no_rows_give_zeros) {
    const auto metrics = compute_metrics({}, 3);
    EXPECT_EQ(metrics.accuracy, 0);
    EXPECT_EQ(metrics.macro_f1, 0);
    EXPECT_EQ(metrics.calibration_error, 0);
}

TEST(Metrics, an_inner_node_counts_in_the_loss_alone) {
    const InnerNodes inner = {{1, 2}};
    const std::vector<float> probabilities = {0.5F, 0.3F, 0.2F};
    const auto judgement = judge(probabilities, 3, inner);
    EXPECT_EQ(judgement.predicted, 0);
    EXPECT_NEAR(judgement.loss, -std::log(0.5), 1e-6);
    const auto metrics = compute_metrics(std::vector{judgement, judge(probabilities, 0, inner)}, 3);
    EXPECT_EQ(metrics.rows, 1);
    EXPECT_EQ(metrics.inner_rows, 1);
    EXPECT_EQ(metrics.accuracy, 1);
    EXPECT_NEAR(metrics.loss, std::log(2.0), 1e-6);
    EXPECT_NEAR(metrics.calibration_error, 0.5, 1e-6);
}

}  // namespace
}  // namespace nanoatlas::nn
