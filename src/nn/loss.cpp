#include "nn/loss.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "base/check.hpp"

namespace nanoatlas::nn {
namespace {

/// One sample's loss, and its gradient, both times its part in the mean.
class SampleLoss {
  public:
    SampleLoss(const LossOptions& options, std::size_t classes)
        : smoothing_(options.label_smoothing), weights_(classes, 1.0), log_probability_(classes) {
        std::ranges::copy(options.class_weights, weights_.begin());
        weight_sum_ = std::accumulate(weights_.begin(), weights_.end(), 0.0);
    }

    double weight(std::size_t label) const { return weights_[label]; }

    /// loss = -(1 - s) w[y] log p[y] - s / C sum_c w[c] log p[c]
    double operator()(std::span<const float> logits, std::size_t label, double scale,
                      std::span<float> gradient) {
        const double largest = *std::ranges::max_element(logits);
        double sum = 0;
        for (const double logit : logits) sum += std::exp(logit - largest);
        for (std::size_t c = 0; c < logits.size(); ++c)
            log_probability_[c] = logits[c] - largest - std::log(sum);

        const double on_label = (1 - smoothing_) * weights_[label];
        const double spread = smoothing_ / static_cast<double>(logits.size());
        double loss = -on_label * log_probability_[label];
        for (std::size_t c = 0; c < logits.size(); ++c) {
            loss -= spread * weights_[c] * log_probability_[c];
            const double target = spread * weights_[c] + (c == label ? on_label : 0);
            const double mass = on_label + spread * weight_sum_;
            gradient[c] =
                static_cast<float>(scale * (mass * std::exp(log_probability_[c]) - target));
        }
        return scale * loss;
    }

  private:
    double smoothing_;
    std::vector<double> weights_, log_probability_;
    double weight_sum_;
};

}  // namespace

Loss softmax_cross_entropy(std::span<const float> logits, std::span<const std::int32_t> labels,
                           std::int64_t classes, const LossOptions& options,
                           const comm::Communicator& comm) {
    const auto width = static_cast<std::size_t>(classes);
    SampleLoss sample(options, width);
    double weight = 0;
    for (const auto label : labels)
        if (label >= 0) weight += sample.weight(static_cast<std::size_t>(label));
    weight = comm.sum(weight);

    Loss loss{{}, std::vector<float>(logits.size(), 0)};
    std::array<double, 3> sums{};  // loss, labelled, correct
    for (std::size_t i = 0; i < labels.size(); ++i) {
        if (labels[i] < 0) continue;
        const auto label = static_cast<std::size_t>(labels[i]);
        const auto row = logits.subspan(i * width, width);
        sums[0] += sample(row, label, weight > 0 ? 1 / weight : 0,
                          std::span(loss.gradient).subspan(i * width, width));
        sums[1] += 1;
        sums[2] += std::ranges::max_element(row) - row.begin() == static_cast<long>(label) ? 1 : 0;
    }
    comm.sum(std::span<double>(sums));
    loss.result = {sums[0], static_cast<std::int64_t>(sums[1]), static_cast<std::int64_t>(sums[2])};
    return loss;
}

}  // namespace nanoatlas::nn
