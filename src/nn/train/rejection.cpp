#include "nn/train/rejection.hpp"

#include <algorithm>
#include <bit>
#include <boost/math/distributions/binomial.hpp>
#include <functional>
#include <utility>

#include "base/check.hpp"

namespace nanoatlas::nn {
namespace {

constexpr double risk = 0.05;

}  // namespace

double CoveragePoint::precision() const {
    return accepted > 0 ? static_cast<double>(right) / static_cast<double>(accepted) : 0;
}

std::vector<CoveragePoint> coverage_curve(std::span<const Judgement> judgements, int classes) {
    std::vector<const Judgement*> order;
    for (const auto& judgement : judgements)
        if (judgement.truth < classes) order.push_back(&judgement);
    std::ranges::stable_sort(order, std::greater{}, &Judgement::confidence);
    std::vector<CoveragePoint> curve;
    CoveragePoint so_far;
    for (std::size_t i = 0; i < order.size(); ++i) {
        ++so_far.accepted;
        so_far.right += order[i]->is_right() ? 1 : 0;
        so_far.threshold = static_cast<double>(order[i]->confidence);
        if (i + 1 == order.size() || order[i + 1]->confidence < order[i]->confidence)
            curve.push_back(so_far);
    }
    return curve;
}

double precision_lower_limit(std::int64_t right, std::int64_t accepted, double risk_taken) {
    if (right <= 0) return 0;
    return boost::math::binomial_distribution<>::find_lower_bound_on_p(
        static_cast<double>(accepted), static_cast<double>(right), risk_taken);
}

void check_target_precision(double target) {
    VALIDATE(target >= 0 && target < 1,
             "--target-precision {} is not in [0, 1) (no number of images could vouch for "
             "perfection); give a share such as 0.95, or 0 for no threshold",
             target);
}

std::optional<Threshold> choose_threshold(std::span<const CoveragePoint> curve, double target) {
    // Points [0, good) were vouched for as far as they were asked, [bad, end) were not.
    std::size_t good = 0, bad = curve.size();
    if (curve.empty()) return std::nullopt;
    const double of_step = risk / (1 + static_cast<int>(std::bit_width(curve.size() - 1)));
    // The whole is asked first: a network that is good enough everywhere needs no more.
    for (std::size_t middle = curve.size(); good < bad; middle = (good + bad + 1) / 2) {
        const auto& point = curve[middle - 1];
        if (precision_lower_limit(point.right, point.accepted, of_step) >= target)
            good = middle;
        else
            bad = middle - 1;
    }
    if (good == 0) return std::nullopt;
    const auto& chosen = curve[good - 1];
    return Threshold{.value = chosen.threshold,
                     .target = target,
                     .precision = chosen.precision(),
                     .coverage = static_cast<double>(chosen.accepted) /
                                 static_cast<double>(curve.back().accepted)};
}

std::int32_t answer_of(std::span<const float> probabilities, const Taxonomy& taxonomy,
                       double threshold) {
    const auto best = std::max_element(probabilities.begin(), probabilities.end());
    if (static_cast<double>(*best) >= threshold)
        return static_cast<std::int32_t>(best - probabilities.begin());
    std::int32_t answer = -1;
    std::pair<int, float> deepest{0, 0};  // depth, probability
    for (std::size_t i = 0; i < taxonomy.inner().size(); ++i) {
        const float probability = node_probability(probabilities, taxonomy.inner()[i]);
        const auto label = taxonomy.leaves() + static_cast<std::int32_t>(i);
        const std::pair candidate{taxonomy.depth_of(label), probability};
        if (static_cast<double>(probability) < threshold || candidate <= deepest) continue;
        deepest = candidate;
        answer = label;
    }
    return answer;
}

CoveragePoint point_at(std::span<const CoveragePoint> curve, double threshold) {
    CoveragePoint last{.threshold = threshold, .accepted = 0, .right = 0};
    for (const auto& point : curve) {
        if (point.threshold < threshold) break;
        last.accepted = point.accepted;
        last.right = point.right;
    }
    return last;
}

}  // namespace nanoatlas::nn
