#include "nn/train/metrics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

namespace nanoatlas::nn {
namespace {

double ratio(double part, double whole) {
    return whole > 0 ? part / whole : 0;
}

double expected_calibration_error(std::span<const Judgement> judgements) {
    constexpr std::size_t bins = 15;
    std::array<double, bins> surplus{};  // sum of confidence - correct
    for (const auto& judgement : judgements) {
        const double position = static_cast<double>(judgement.confidence) * bins;
        // Bins are open below and closed above, so a confidence of 1 falls into the last one.
        const auto bin =
            static_cast<std::size_t>(std::clamp(std::ceil(position) - 1, 0.0, bins - 1.0));
        surplus[bin] += static_cast<double>(judgement.confidence) -
                        (judgement.predicted == judgement.truth ? 1 : 0);
    }
    double error = 0;
    for (const double sum : surplus) error += std::abs(sum);
    return ratio(error, static_cast<double>(judgements.size()));
}

void add_class_scores(Metrics& metrics, std::size_t classes) {
    double f1_sum = 0, occurring = 0;
    for (std::size_t c = 0; c < classes; ++c) {
        std::int64_t truth = 0, predicted = 0;
        for (std::size_t other = 0; other < classes; ++other) {
            truth += metrics.confusion[c * classes + other];
            predicted += metrics.confusion[other * classes + c];
        }
        const auto hits = static_cast<double>(metrics.confusion[c * classes + c]);
        metrics.by_class.push_back({.precision = ratio(hits, static_cast<double>(predicted)),
                                    .recall = ratio(hits, static_cast<double>(truth)),
                                    .f1 = ratio(2 * hits, static_cast<double>(truth + predicted)),
                                    .support = truth});
        if (truth + predicted == 0) continue;
        f1_sum += metrics.by_class.back().f1;
        occurring += 1;
    }
    metrics.macro_f1 = ratio(f1_sum, occurring);
}

}  // namespace

Judgement judge(std::span<const float> probabilities, std::int32_t truth) {
    const auto best = std::max_element(probabilities.begin(), probabilities.end());
    const float of_truth = probabilities[static_cast<std::size_t>(truth)];
    return {.truth = truth,
            .predicted = static_cast<std::int32_t>(best - probabilities.begin()),
            .rank_of_truth = static_cast<std::int32_t>(std::count_if(
                probabilities.begin(), probabilities.end(), [&](float p) { return p > of_truth; })),
            .confidence = *best,
            .loss = -std::log(std::max(of_truth, 1e-30F))};
}

Metrics compute_metrics(std::span<const Judgement> judgements, int classes) {
    const auto count = static_cast<std::size_t>(classes);
    Metrics metrics;
    metrics.rows = static_cast<std::int64_t>(judgements.size());
    metrics.confusion.assign(count * count, 0);
    double loss = 0, hits = 0, hits3 = 0;
    for (const auto& judgement : judgements) {
        loss += static_cast<double>(judgement.loss);
        hits += judgement.predicted == judgement.truth ? 1 : 0;
        hits3 += judgement.rank_of_truth < 3 ? 1 : 0;
        ++metrics.confusion[static_cast<std::size_t>(judgement.truth) * count +
                            static_cast<std::size_t>(judgement.predicted)];
    }
    const auto rows = static_cast<double>(judgements.size());
    metrics.loss = ratio(loss, rows);
    metrics.accuracy = ratio(hits, rows);
    metrics.top3 = ratio(hits3, rows);
    metrics.calibration_error = expected_calibration_error(judgements);
    add_class_scores(metrics, count);
    return metrics;
}

std::string metrics_json(const Metrics& metrics, std::span<const std::string> classes,
                         const std::string& provenance) {
    auto per_class = nlohmann::ordered_json::object();
    auto confusion = nlohmann::ordered_json::array();
    for (std::size_t c = 0; c < classes.size(); ++c) {
        const auto& scores = metrics.by_class[c];
        per_class[classes[c]] = {{"precision", scores.precision},
                                 {"recall", scores.recall},
                                 {"f1", scores.f1},
                                 {"support", scores.support}};
        const auto row = std::span(metrics.confusion).subspan(c * classes.size(), classes.size());
        confusion.push_back(std::vector<std::int64_t>(row.begin(), row.end()));
    }
    const nlohmann::ordered_json json = {
        {"rows", metrics.rows},
        {"accuracy", metrics.accuracy},
        {"top3", metrics.top3},
        {"macro_f1", metrics.macro_f1},
        {"loss", metrics.loss},
        {"calibration_error", metrics.calibration_error},
        {"classes", std::vector<std::string>(classes.begin(), classes.end())},
        {"per_class", per_class},
        {"confusion", confusion},
        {"provenance", nlohmann::ordered_json::parse(provenance)}};
    return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace nanoatlas::nn
