#include "nn/loss.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/check.hpp"

namespace nanoatlas::nn {
namespace {

/// One sample's loss, and its gradient, both times its part in the mean.
class SampleLoss {
  public:
    SampleLoss(const LossOptions& options, std::size_t classes)
        : smoothing_(options.label_smoothing),
          inner_(options.inner),
          itself_(classes),
          weights_(classes, 1.0),
          log_probability_(classes),
          share_(classes) {
        std::ranges::copy(options.class_weights, weights_.begin());
        weight_sum_ = std::accumulate(weights_.begin(), weights_.end(), 0.0);
        std::iota(itself_.begin(), itself_.end(), 0);
    }

    double weight(std::size_t label) const {
        double sum = 0;
        const auto classes = classes_of(label);
        for (const auto c : classes) sum += weights_[static_cast<std::size_t>(c)];
        return sum / static_cast<double>(classes.size());
    }

    bool means(std::size_t label, std::int32_t predicted) const {
        const auto classes = classes_of(label);
        return std::ranges::find(classes, predicted) != classes.end();
    }

    /// loss = -(1 - s) w[y] log p[y] - s / C sum_c w[c] log p[c]; p[y] of a label y that stands for
    /// several classes is their sum, and its target their shares in it
    double operator()(std::span<const float> logits, std::size_t label, double scale,
                      std::span<float> gradient) {
        const double largest = *std::ranges::max_element(logits);
        double sum = 0;
        for (const double logit : logits) sum += std::exp(logit - largest);
        for (std::size_t c = 0; c < logits.size(); ++c)
            log_probability_[c] = logits[c] - largest - std::log(sum);

        const double on_label = (1 - smoothing_) * weight(label);
        const double spread = smoothing_ / static_cast<double>(logits.size());
        double loss = -on_label * find_shares(label);
        for (std::size_t c = 0; c < logits.size(); ++c) {
            loss -= spread * weights_[c] * log_probability_[c];
            const double target = spread * weights_[c] + on_label * share_[c];
            const double mass = on_label + spread * weight_sum_;
            gradient[c] =
                static_cast<float>(scale * (mass * std::exp(log_probability_[c]) - target));
        }
        return scale * loss;
    }

  private:
    std::span<const std::int32_t> classes_of(std::size_t label) const {
        if (label < itself_.size()) return std::span(itself_).subspan(label, 1);
        return inner_[label - itself_.size()];
    }

    /// The label's log probability; share_: of its classes in that probability, 0 for others.
    double find_shares(std::size_t label) {
        std::ranges::fill(share_, 0.0);
        const auto classes = classes_of(label);
        double largest = -std::numeric_limits<double>::infinity(), sum = 0;
        for (const auto c : classes)
            largest = std::max(largest, log_probability_[static_cast<std::size_t>(c)]);
        for (const auto c : classes) {
            const auto at = static_cast<std::size_t>(c);
            sum += share_[at] = std::exp(log_probability_[at] - largest);
        }
        for (auto& share : share_) share /= sum;
        return largest + std::log(sum);
    }

    double smoothing_;
    const InnerNodes& inner_;
    std::vector<std::int32_t> itself_;
    std::vector<double> weights_, log_probability_, share_;
    double weight_sum_;
};

/// A class that a sample counts as, and the part of it that does.
struct Target {
    std::size_t label;
    double share;
};

/// The one of the larger share first; none for a sample that does not count.
std::vector<Target> targets_of(std::size_t i, std::span<const std::int32_t> labels,
                               const LossOptions& options) {
    const auto label = [](std::int32_t number) { return static_cast<std::size_t>(number); };
    if (labels[i] < 0) return {};
    if (options.shares.empty()) return {{label(labels[i]), 1}};
    const double share = options.shares[i];
    std::vector<Target> targets{{label(labels[i]), share},
                                {label(options.other_labels[i]), 1 - share}};
    if (share < 0.5) std::swap(targets[0], targets[1]);
    return targets;
}

}  // namespace

Loss softmax_cross_entropy(std::span<const float> logits, std::span<const std::int32_t> labels,
                           std::int64_t classes, const LossOptions& options,
                           const comm::Communicator& comm) {
    const auto width = static_cast<std::size_t>(classes);
    SampleLoss sample(options, width);
    double weight = 0;
    for (std::size_t i = 0; i < labels.size(); ++i)
        for (const auto& target : targets_of(i, labels, options))
            weight += target.share * sample.weight(target.label);
    weight = comm.sum(weight);

    Loss loss{{}, std::vector<float>(logits.size(), 0)};
    std::vector<float> part(width);
    std::array<double, 3> sums{};  // loss, labelled, correct
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const auto targets = targets_of(i, labels, options);
        if (targets.empty()) continue;
        const auto row = logits.subspan(i * width, width);
        double of_sample = 0;
        for (const auto& target : targets) {
            of_sample += sample(row, target.label, weight > 0 ? target.share / weight : 0, part);
            for (std::size_t c = 0; c < width; ++c) loss.gradient[i * width + c] += part[c];
        }
        if (!std::isfinite(of_sample))
            loss.result.not_finite.push_back(static_cast<std::int64_t>(i));
        sums[0] += of_sample;
        sums[1] += 1;
        const auto predicted = std::ranges::max_element(row) - row.begin();
        sums[2] += sample.means(targets[0].label, static_cast<std::int32_t>(predicted)) ? 1 : 0;
    }
    comm.sum(std::span<double>(sums));
    loss.result.loss = sums[0];
    loss.result.labelled = static_cast<std::int64_t>(sums[1]);
    loss.result.correct = static_cast<std::int64_t>(sums[2]);
    loss.result.weight = weight;
    return loss;
}

}  // namespace nanoatlas::nn
