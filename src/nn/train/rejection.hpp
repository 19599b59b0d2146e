// When a network had better say "none of these": predictions by falling confidence, and the
// confidence below which they are not to be trusted.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "nn/model_file.hpp"
#include "nn/train/metrics.hpp"

namespace nanoatlas::nn {

/// Predictions of at least this confidence, of those whose truth is a class.
struct CoveragePoint {
    double threshold = 0;
    std::int64_t accepted = 0, right = 0;

    double precision() const;
};

/// A point for each confidence that occurs, falling; the last one accepts all rows.
std::vector<CoveragePoint> coverage_curve(std::span<const Judgement> judgements, int classes);

/// The least share of right answers that `right` of `accepted` are consistent with: the one-sided
/// lower limit of Clopper and Pearson, Biometrika 26 (1934) 404, which holds with probability
/// 1 - risk or more.
double precision_lower_limit(std::int64_t right, std::int64_t accepted, double risk);

/// throws InputError if it is not in [0, 1)
void check_target_precision(double target);

/// The lowest threshold on the curve above which predictions are right with probability `target` or
/// more; that holds with probability 0.95 over the choice of the rows, if others are like them
/// (selection with guaranteed risk: Geifman and El-Yaniv, NeurIPS 2017, algorithm 2, whose binary
/// search shares the risk of 0.05 among its steps). Nothing if no threshold can be vouched for:
/// too few rows (59 without a mistake are the least for 0.95, and one step), or too many mistakes.
std::optional<Threshold> choose_threshold(std::span<const CoveragePoint> curve, double target);

/// The answer that can be given of one row: its most probable class if that reaches the threshold;
/// else the deepest inner node that does, of several there the most probable; else -1, none of
/// these.
std::int32_t answer_of(std::span<const float> probabilities, const Taxonomy& taxonomy,
                       double threshold);

/// What a threshold does to the rows of the curve.
CoveragePoint point_at(std::span<const CoveragePoint> curve, double threshold);

}  // namespace nanoatlas::nn
