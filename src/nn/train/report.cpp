#include "nn/train/report.hpp"

#include <nlohmann/json.hpp>

namespace nanoatlas::nn {
namespace {

using Json = nlohmann::ordered_json;

/// Points of the coverage curve that are written: as many as a chart can show.
constexpr std::int64_t most_points = 200;

double ratio(std::int64_t part, std::int64_t whole) {
    return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

void count_answers(const ModelFile& model, std::span<const float> logits, const Samples& samples,
                   ModelScores& scores, const comm::Communicator& comm) {
    const Taxonomy taxonomy(model.classes);
    const auto answers = answers_of(model, logits, comm);
    for (std::size_t i = 0; i < answers.size(); ++i) {
        const auto truth = samples.labels[i];
        if (truth >= taxonomy.leaves()) continue;
        auto& counts = answers[i] < 0                   ? scores.none
                       : answers[i] < taxonomy.leaves() ? scores.at_class
                                                        : scores.above_class;
        ++counts.images;
        counts.right += answers[i] >= 0 && taxonomy.lies_in(truth, answers[i]) ? 1 : 0;
    }
}

/// Scores by class and the confusion of them.
void add_classes(const Metrics& metrics, const std::vector<std::string>& classes, Json& json) {
    auto per_class = Json::object();
    auto confusion = Json::array();
    for (std::size_t c = 0; c < classes.size(); ++c) {
        const auto& scores = metrics.by_class[c];
        per_class[classes[c]] = {{"precision", scores.precision},
                                 {"recall", scores.recall},
                                 {"f1", scores.f1},
                                 {"support", scores.support}};
        const auto row = std::span(metrics.confusion).subspan(c * classes.size(), classes.size());
        confusion.push_back(std::vector<std::int64_t>(row.begin(), row.end()));
    }
    json["classes"] = classes;
    json["per_class"] = std::move(per_class);
    json["confusion"] = std::move(confusion);
}

Json level_json(const LevelScores& level, int depth) {
    Json json = {{"depth", depth},
                 {"rows", level.metrics.rows},
                 {"accuracy", level.metrics.accuracy},
                 {"macro_f1", level.metrics.macro_f1},
                 {"loss", level.metrics.loss}};
    add_classes(level.metrics, level.classes, json);
    return json;
}

Json answers_json(const AnswerCounts& counts, std::int64_t all) {
    return {{"images", counts.images},
            {"coverage", ratio(counts.images, all)},
            {"precision", ratio(counts.right, counts.images)}};
}

Json threshold_json(const std::optional<Threshold>& threshold) {
    if (!threshold) return nullptr;
    return {{"threshold", threshold->value},
            {"target_precision", threshold->target},
            {"precision", threshold->precision},
            {"coverage", threshold->coverage}};
}

/// The model's threshold, and what it does to these rows.
Json rejection_json(const ModelScores& scores) {
    const auto rows = scores.metrics.rows;
    Json json = {
        {"threshold", scores.threshold ? Json(scores.threshold->value) : Json(nullptr)},
        {"target_precision", scores.threshold ? Json(scores.threshold->target) : Json(nullptr)},
        {"answered", answers_json(scores.at_class, rows)}};
    if (!scores.levels.empty()) json["answered_above"] = answers_json(scores.above_class, rows);
    json["none"] = {{"images", scores.none.images}, {"share", ratio(scores.none.images, rows)}};
    if (scores.unknown_images > 0)
        json["unknown_classes"] = {
            {"images", scores.unknown_images},
            {"none", scores.unknown_rejected},
            {"share", ratio(scores.unknown_rejected, scores.unknown_images)}};
    return json;
}

/// Evenly spaced in coverage where there are more than most_points.
Json coverage_json(const ModelScores& scores) {
    auto points = Json::array();
    const auto rows = scores.metrics.rows;
    std::int64_t next = 1;
    for (const auto& point : scores.coverage) {
        if (point.accepted < next && point.accepted < rows) continue;
        points.push_back({{"threshold", point.threshold},
                          {"coverage", ratio(point.accepted, rows)},
                          {"precision", point.precision()}});
        while (next <= point.accepted) next += std::max<std::int64_t>(1, rows / most_points);
    }
    return points;
}

}  // namespace

std::vector<std::int32_t> answers_of(const ModelFile& model, std::span<const float> logits,
                                     const comm::Communicator& comm) {
    const Taxonomy taxonomy(model.classes);
    const auto classes = model.classes.size();
    std::vector<float> probabilities(logits.begin(), logits.end());
    softmax(probabilities, classes, model.temperature);
    std::vector<std::int32_t> answers;
    for (std::size_t begin = 0; begin < probabilities.size(); begin += classes)
        answers.push_back(answer_of(std::span<const float>(probabilities).subspan(begin, classes),
                                    taxonomy, model.threshold ? model.threshold->value : 0));
    return comm.all_gather(answers);
}

ModelScores score_model(const ModelFile& model, std::span<const float> logits,
                        const Samples& samples, const comm::Communicator& comm) {
    const auto classes = static_cast<int>(model.classes.size());
    const auto judgements = judge_logits(logits, model.temperature, samples, nullptr, comm);
    ModelScores scores;
    scores.classes = model.classes;
    scores.metrics = compute_metrics(judgements, classes);
    scores.uncalibrated = compute_metrics(judge_logits(logits, 1, samples, nullptr, comm), classes);
    scores.temperature = model.temperature;
    scores.threshold = model.threshold;
    scores.coverage = coverage_curve(judgements, classes);
    count_answers(model, logits, samples, scores, comm);
    const Taxonomy taxonomy(model.classes);
    for (int depth = 1; taxonomy.depth() > 1 && depth <= taxonomy.depth(); ++depth) {
        const auto level = taxonomy.level(depth);
        scores.levels.push_back({.classes = level.names,
                                 .metrics = compute_metrics(
                                     judge_logits(logits, model.temperature, samples, &level, comm),
                                     static_cast<int>(level.names.size()))});
    }
    return scores;
}

std::string metrics_json(const ModelScores& scores, const std::string& provenance) {
    const auto& metrics = scores.metrics;
    Json json = {{"rows", metrics.rows},
                 {"accuracy", metrics.accuracy},
                 {"top3", metrics.top3},
                 {"macro_f1", metrics.macro_f1},
                 {"loss", metrics.loss},
                 {"calibration_error", metrics.calibration_error},
                 {"temperature", scores.temperature},
                 {"uncalibrated",
                  {{"loss", scores.uncalibrated.loss},
                   {"calibration_error", scores.uncalibrated.calibration_error}}}};
    if (metrics.inner_rows > 0) json["inner_rows"] = metrics.inner_rows;
    add_classes(metrics, scores.classes, json);
    for (std::size_t i = 0; i < scores.levels.size(); ++i)
        json["levels"].push_back(level_json(scores.levels[i], static_cast<int>(i) + 1));
    json["none_of_these"] = rejection_json(scores);
    json["threshold_here"] = threshold_json(scores.chosen);
    json["coverage"] = coverage_json(scores);
    json["provenance"] = Json::parse(provenance);
    return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace nanoatlas::nn
