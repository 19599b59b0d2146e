#include "kernels/reference/loss.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace nanoatlas::kernels::reference {
namespace {

std::vector<std::size_t> classes_of(std::size_t label, const LossShape& shape) {
    const auto classes = static_cast<std::size_t>(shape.classes());
    if (label < classes) return {label};
    const auto& inner = shape.inner[label - classes];
    return {inner.begin(), inner.end()};
}

double weight_of(std::size_t label, const LossShape& shape, const LossTargets& targets) {
    const auto classes = classes_of(label, shape);
    double sum = 0;
    for (const auto c : classes)
        sum += targets.class_weights.empty() ? 1.0 : targets.class_weights[c];
    return sum / static_cast<double>(classes.size());
}

/// One sample's loss, and its gradient, both times its part in the mean.
class SampleLoss {
  public:
    SampleLoss(const LossShape& shape, const LossTargets& targets)
        : smoothing_(targets.label_smoothing),
          shape_(shape),
          weights_(static_cast<std::size_t>(shape.classes()), 1.0),
          log_probability_(weights_.size()),
          share_(weights_.size()) {
        std::ranges::copy(targets.class_weights, weights_.begin());
        weight_sum_ = std::accumulate(weights_.begin(), weights_.end(), 0.0);
    }

    /// loss = -(1 - s) w[y] log p[y] - s / C sum_c w[c] log p[c]; p[y] of a label y that stands for
    /// several classes is their sum, and its target their shares in it
    double operator()(std::span<const float> logits, const LossTarget& target, double scale,
                      std::span<float> gradient) {
        const double largest = *std::ranges::max_element(logits);
        double sum = 0;
        for (const double logit : logits) sum += std::exp(logit - largest);
        for (std::size_t c = 0; c < logits.size(); ++c)
            log_probability_[c] = logits[c] - largest - std::log(sum);

        const double on_label = (1 - smoothing_) * target.weight;
        const double spread = smoothing_ / static_cast<double>(logits.size());
        double loss = -on_label * find_shares(target.label);
        for (std::size_t c = 0; c < logits.size(); ++c) {
            loss -= spread * weights_[c] * log_probability_[c];
            const double wanted = spread * weights_[c] + on_label * share_[c];
            const double mass = on_label + spread * weight_sum_;
            gradient[c] =
                static_cast<float>(scale * (mass * std::exp(log_probability_[c]) - wanted));
        }
        return scale * loss;
    }

  private:
    /// The label's log probability; share_: of its classes in that probability, 0 for others.
    double find_shares(std::size_t label) {
        std::ranges::fill(share_, 0.0);
        const auto classes = classes_of(label, shape_);
        double largest = -std::numeric_limits<double>::infinity(), sum = 0;
        for (const auto c : classes) largest = std::max(largest, log_probability_[c]);
        for (const auto c : classes) sum += share_[c] = std::exp(log_probability_[c] - largest);
        for (auto& share : share_) share /= sum;
        return largest + std::log(sum);
    }

    double smoothing_;
    const LossShape& shape_;
    std::vector<double> weights_, log_probability_, share_;
    double weight_sum_;
};

class HostLoss final : public Loss {
  public:
    HostLoss(Backend& backend, LossShape shape) : backend_(backend), shape_(std::move(shape)) {
        const auto elements = static_cast<std::size_t>(shape_.logits.elements());
        logits_.resize(elements);
        gradient_.resize(elements);
    }

    void set_targets(const LossTargets& targets) override { targets_ = targets; }

    void run(const void* logits, void* gradient) override {
        backend_.export_images(logits, shape_.logits, logits_.data());
        sums_ = {};
        not_finite_.clear();
        std::ranges::fill(gradient_, 0.0F);
        SampleLoss sample(shape_, targets_);
        for (std::size_t i = 0; i < targets_.labels.size(); ++i) add_sample(sample, i);
        for (auto& value : gradient_) value *= targets_.factor;
        backend_.import_images(gradient_.data(), shape_.logits, gradient);
    }

    LossSums result() override { return sums_; }
    std::vector<std::int64_t> not_finite() const override { return not_finite_; }
    const double* loss() const override { return &sums_.loss; }

  private:
    void add_sample(SampleLoss& sample, std::size_t i) {
        const auto width = static_cast<std::size_t>(shape_.classes());
        const auto targets = targets_of(i, shape_, targets_);
        if (targets.empty()) return;
        const auto row = std::span<const float>(logits_).subspan(i * width, width);
        std::vector<float> part(width);
        double of_sample = 0;
        for (const auto& target : targets) {
            const double scale = targets_.weight > 0 ? target.share / targets_.weight : 0;
            of_sample += sample(row, target, scale, part);
            for (std::size_t c = 0; c < width; ++c) gradient_[i * width + c] += part[c];
        }
        if (!std::isfinite(of_sample)) not_finite_.push_back(static_cast<std::int64_t>(i));
        sums_.loss += of_sample;
        sums_.labelled += 1;
        const auto predicted =
            static_cast<std::size_t>(std::ranges::max_element(row) - row.begin());
        const auto meant = classes_of(targets[0].label, shape_);
        sums_.correct += std::ranges::find(meant, predicted) != meant.end() ? 1 : 0;
    }

    Backend& backend_;
    LossShape shape_;
    LossTargets targets_;
    std::vector<float> logits_, gradient_;
    LossSums sums_;
    std::vector<std::int64_t> not_finite_;
};

}  // namespace

std::vector<LossTarget> targets_of(std::size_t i, const LossShape& shape,
                                   const LossTargets& targets) {
    if (targets.labels[i] < 0) return {};
    const auto target = [&](std::int32_t number, double share) -> LossTarget {
        const auto label = static_cast<std::size_t>(number);
        return {label, share, weight_of(label, shape, targets)};
    };
    if (targets.shares.empty()) return {target(targets.labels[i], 1)};
    const double share = targets.shares[i];
    std::vector<LossTarget> both{target(targets.labels[i], share),
                                 target(targets.other_labels[i], 1 - share)};
    if (share < 0.5) std::swap(both[0], both[1]);
    return both;
}

double label_weight(const LossShape& shape, const LossTargets& targets) {
    double weight = 0;
    for (std::size_t i = 0; i < targets.labels.size(); ++i)
        for (const auto& target : targets_of(i, shape, targets))
            weight += target.share * target.weight;
    return weight;
}

std::unique_ptr<Loss> make_loss(Backend& backend, const LossShape& shape) {
    return std::make_unique<HostLoss>(backend, shape);
}

}  // namespace nanoatlas::kernels::reference
