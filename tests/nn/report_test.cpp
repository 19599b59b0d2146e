// All that is said of a model: at each level of its classes, with its threshold, and as JSON.
#include "nn/train/report.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/random.hpp"
#include "comm/distribution.hpp"
#include "tests/mpi_test.hpp"

namespace nanoatlas::nn {
namespace {

using testing::world;

/// Logits of probabilities [n, classes], those of this rank.
std::vector<float> logits_of(const std::vector<std::vector<float>>& probabilities,
                             const comm::Communicator& comm) {
    const auto block = comm::row_block(std::ssize(probabilities), comm);
    std::vector<float> logits;
    for (auto row = block.first; row < block.end(); ++row)
        for (const float p : probabilities[static_cast<std::size_t>(row)])
            logits.push_back(std::log(p));
    return logits;
}

ModelFile model_of(std::vector<std::string> classes) {
    return {.arch = "resnet18",
            .classes = std::move(classes),
            .mean = {0.5},
            .std = {0.3},
            .size = 32,
            .tensors = {}};
}

const std::vector<std::vector<float>> probabilities = {
    {0.6F, 0.3F, 0.1F},     // A/x
    {0.1F, 0.5F, 0.4F},     // A/y
    {0.35F, 0.3F, 0.35F},   // A/y, but A/x is as probable as B
    {0.3F, 0.3F, 0.4F},     // "A": A by the sum, B by the leaves
    {0.05F, 0.05F, 0.9F}};  // B
const Samples samples = {.rows = {0, 1, 2, 3, 4}, .labels = {0, 1, 1, 3, 2}, .inner = {{0, 1}}};

TEST(ModelScores, are_given_at_each_level) {
    const auto model = model_of({"A/x", "A/y", "B"});
    const auto scores = score_model(model, logits_of(probabilities, world()), samples, world());
    EXPECT_EQ(scores.metrics.rows, 4);
    EXPECT_EQ(scores.metrics.inner_rows, 1);
    EXPECT_NEAR(scores.metrics.accuracy, 3.0 / 4, 1e-12);
    ASSERT_EQ(scores.levels.size(), 2U);
    const auto& first = scores.levels[0];
    EXPECT_EQ(first.classes, (std::vector<std::string>{"A", "B"}));
    EXPECT_EQ(first.metrics.rows, 5);
    EXPECT_EQ(first.metrics.accuracy, 1);
    EXPECT_EQ(first.metrics.confusion, (std::vector<std::int64_t>{4, 0, 0, 1}));
    EXPECT_NEAR(
        first.metrics.loss,
        -(std::log(0.9) + std::log(0.6) + std::log(0.65) + std::log(0.6) + std::log(0.9)) / 5,
        1e-6);
    // The last level is that of the classes. By sklearn.metrics.f1_score(average="macro"):
    // truth 0 1 1 2, predicted 0 1 0 2.
    const auto& last = scores.levels[1].metrics;
    EXPECT_EQ(last.confusion, scores.metrics.confusion);
    EXPECT_NEAR(last.macro_f1, (2.0 / 3 + 2.0 / 3 + 1) / 3, 1e-12);
    EXPECT_EQ(last.macro_f1, scores.metrics.macro_f1);
}

TEST(ModelScores, the_threshold_leaves_answers_above_and_none) {
    auto model = model_of({"A/x", "A/y", "B"});
    model.threshold = Threshold{.value = 0.64, .target = 0.9, .precision = 1, .coverage = 0.5};
    const auto logits = logits_of(probabilities, world());
    auto scores = score_model(model, logits, samples, world());
    EXPECT_EQ(scores.at_class.images, 1);
    EXPECT_EQ(scores.at_class.right, 1);
    EXPECT_EQ(scores.above_class.images, 2);
    EXPECT_EQ(scores.above_class.right, 2);
    EXPECT_EQ(scores.none.images, 1);
    EXPECT_EQ(answers_of(model, logits, world()), (std::vector<std::int32_t>{3, -1, 3, -1, 2}));
    scores.unknown_images = 4;
    scores.unknown_rejected = 3;
    scores.chosen = model.threshold;
    const auto json = nlohmann::json::parse(metrics_json(scores, R"({"job": "evaluate"})"));
    EXPECT_EQ(json["none_of_these"]["threshold"], 0.64);
    EXPECT_EQ(json["none_of_these"]["answered"]["images"], 1);
    EXPECT_EQ(json["none_of_these"]["answered_above"]["coverage"], 0.5);
    EXPECT_EQ(json["none_of_these"]["none"]["share"], 0.25);
    EXPECT_EQ(json["none_of_these"]["unknown_classes"]["share"], 0.75);
    EXPECT_EQ(json["threshold_here"]["target_precision"], 0.9);
    EXPECT_EQ(json["levels"][0]["confusion"], nlohmann::json::parse("[[4, 0], [0, 1]]"));
    EXPECT_EQ(json["levels"][0]["per_class"]["A"]["support"], 4);
    EXPECT_EQ(json["inner_rows"], 1);
    EXPECT_EQ(json["coverage"].size(), 4U);
    EXPECT_EQ(json["coverage"][0]["precision"], 1);
    EXPECT_EQ(json["coverage"][3]["coverage"], 1);
}

TEST(ModelScores, the_temperature_is_told_with_what_it_changed) {
    auto model = model_of({"Tips", "Powder"});
    model.temperature = 2;
    const Samples two{.rows = {0, 1}, .labels = {0, 0}};
    const auto scores =
        score_model(model, logits_of({{0.8F, 0.2F}, {0.2F, 0.8F}}, world()), two, world());
    const auto json = nlohmann::json::parse(metrics_json(scores, R"({"job": "evaluate"})"));
    // softmax(log(p) / 2) = 2/3, 1/3
    EXPECT_NEAR(json["loss"].get<double>(), -(std::log(2.0 / 3) + std::log(1.0 / 3)) / 2, 1e-6);
    EXPECT_NEAR(json["uncalibrated"]["loss"].get<double>(), -(std::log(0.8) + std::log(0.2)) / 2,
                1e-6);
    EXPECT_NEAR(json["calibration_error"].get<double>(), 2.0 / 3 - 0.5, 1e-6);
    EXPECT_EQ(json["temperature"], 2);
    EXPECT_EQ(json["per_class"]["Tips"]["recall"], 0.5);
    EXPECT_EQ(json["confusion"], nlohmann::json::parse("[[1, 1], [0, 0]]"));
    EXPECT_EQ(json["accuracy"], 0.5);
    EXPECT_EQ(json["provenance"]["job"], "evaluate");
    EXPECT_FALSE(json.contains("levels"));
    EXPECT_TRUE(json["none_of_these"]["threshold"].is_null());
    EXPECT_TRUE(json["threshold_here"].is_null());
}

TEST(ModelScores, long_curves_are_thinned_and_end_with_all) {
    std::vector<std::vector<float>> many;
    Samples all;
    base::Random random(2);
    for (int i = 0; i < 1007; ++i) {
        const auto p = static_cast<float>(random.uniform(0.5, 0.99));
        many.push_back({p, 1 - p});
        all.rows.push_back(i);
        all.labels.push_back(i % 4 == 0 ? 1 : 0);
    }
    const auto scores = score_model(model_of({"a", "b"}), logits_of(many, world()), all, world());
    const auto json = nlohmann::json::parse(metrics_json(scores, "{}"))["coverage"];
    EXPECT_LE(json.size(), 205U);
    EXPECT_GE(json.size(), 190U);
    EXPECT_EQ(json.back()["coverage"], 1);
    EXPECT_NEAR(json.back()["precision"].get<double>(), scores.metrics.accuracy, 1e-12);
    for (std::size_t i = 1; i < json.size(); ++i)
        EXPECT_LT(json[i]["threshold"], json[i - 1]["threshold"]);
}

}  // namespace
}  // namespace nanoatlas::nn
