#include "nn/train/metrics.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace nanoatlas::nn {
namespace {

double ratio(double part, double whole) {
    return whole > 0 ? part / whole : 0;
}

bool has_class(const Judgement& judgement, std::size_t classes) {
    return static_cast<std::size_t>(judgement.truth) < classes;
}

double expected_calibration_error(std::span<const Judgement> judgements, std::size_t classes) {
    constexpr std::size_t bins = 15;
    std::array<double, bins> surplus{};  // sum of confidence - correct
    double rows = 0;
    for (const auto& judgement : judgements) {
        if (!has_class(judgement, classes)) continue;
        const double position = static_cast<double>(judgement.confidence) * bins;
        // Bins are open below and closed above, so a confidence of 1 falls into the last one.
        const auto bin =
            static_cast<std::size_t>(std::clamp(std::ceil(position) - 1, 0.0, bins - 1.0));
        surplus[bin] += static_cast<double>(judgement.confidence) - (judgement.is_right() ? 1 : 0);
        rows += 1;
    }
    double error = 0;
    for (const double sum : surplus) error += std::abs(sum);
    return ratio(error, rows);
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

Judgement judge(std::span<const float> probabilities, std::int32_t truth, const InnerNodes& inner) {
    const auto best = std::max_element(probabilities.begin(), probabilities.end());
    Judgement judgement{.truth = truth,
                        .predicted = static_cast<std::int32_t>(best - probabilities.begin()),
                        .rank_of_truth = 0,
                        .confidence = *best,
                        .loss = 0};
    const auto place = static_cast<std::size_t>(truth);
    float of_truth = 0;
    if (place < probabilities.size()) {
        of_truth = probabilities[place];
        judgement.rank_of_truth = static_cast<std::int32_t>(std::count_if(
            probabilities.begin(), probabilities.end(), [&](float p) { return p > of_truth; }));
    } else {
        of_truth = node_probability(probabilities, inner[place - probabilities.size()]);
    }
    judgement.loss = -std::log(std::max(of_truth, 1e-30F));
    return judgement;
}

Metrics compute_metrics(std::span<const Judgement> judgements, int classes) {
    const auto count = static_cast<std::size_t>(classes);
    Metrics metrics;
    metrics.confusion.assign(count * count, 0);
    double loss = 0, hits = 0, hits3 = 0;
    for (const auto& judgement : judgements) {
        loss += static_cast<double>(judgement.loss);
        if (!has_class(judgement, count)) continue;
        ++metrics.rows;
        hits += judgement.is_right() ? 1 : 0;
        hits3 += judgement.rank_of_truth < 3 ? 1 : 0;
        ++metrics.confusion[static_cast<std::size_t>(judgement.truth) * count +
                            static_cast<std::size_t>(judgement.predicted)];
    }
    metrics.inner_rows = std::ssize(judgements) - metrics.rows;
    const auto rows = static_cast<double>(metrics.rows);
    metrics.loss = ratio(loss, static_cast<double>(judgements.size()));
    metrics.accuracy = ratio(hits, rows);
    metrics.top3 = ratio(hits3, rows);
    metrics.calibration_error = expected_calibration_error(judgements, count);
    add_class_scores(metrics, count);
    return metrics;
}

}  // namespace nanoatlas::nn
