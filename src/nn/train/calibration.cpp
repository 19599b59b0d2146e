#include "nn/train/calibration.hpp"

#include <algorithm>
#include <cmath>

#include "comm/distribution.hpp"
#include "nn/train/rejection.hpp"

namespace nanoatlas::nn {
namespace {

constexpr double lowest = 0.01, highest = 100;

/// Mean and variance of the logits, each weighted by its exponential at this inverse temperature.
struct Moments {
    double mean = 0, variance = 0;
};

/// chosen: which logits; empty: all
Moments moments(std::span<const float> logits, std::span<const std::int32_t> chosen,
                double inverse) {
    const auto count = chosen.empty() ? logits.size() : chosen.size();
    const auto at = [&](std::size_t i) {
        return static_cast<double>(
            logits[chosen.empty() ? i : static_cast<std::size_t>(chosen[i])]);
    };
    double largest = at(0);
    for (std::size_t i = 1; i < count; ++i) largest = std::max(largest, at(i));
    double sum = 0, first = 0, second = 0;  // of the distances to the largest
    for (std::size_t i = 0; i < count; ++i) {
        const double distance = at(i) - largest, weight = std::exp(inverse * distance);
        sum += weight;
        first += weight * distance;
        second += weight * distance * distance;
    }
    first /= sum;
    return {.mean = largest + first, .variance = second / sum - first * first};
}

/// The mean negative log likelihood of the labels as a function of the inverse temperature b:
///     log sum_c exp(b z[c]) - log sum_{c in label} exp(b z[c])
/// of which only the first two derivatives are needed.
class Likelihood {
  public:
    Likelihood(std::span<const float> logits, const Samples& samples,
               const comm::Communicator& comm)
        : logits_(logits),
          samples_(samples),
          comm_(comm),
          block_(comm::row_block(std::ssize(samples.rows), comm)),
          classes_(block_.count > 0 ? logits.size() / static_cast<std::size_t>(block_.count) : 0) {}

    struct Derivatives {
        double first = 0, second = 0;
    };
    /// Sums over all samples. Collective.
    Derivatives operator()(double inverse) const {
        std::vector<double> first, second;
        for (std::size_t i = 0; i < static_cast<std::size_t>(block_.count); ++i) {
            const auto row = logits_.subspan(i * classes_, classes_);
            const auto all = moments(row, {}, inverse), label = moments_of_label(i, inverse);
            first.push_back(all.mean - label.mean);
            second.push_back(all.variance - label.variance);
        }
        return {.first = comm::ordered_sum(first, block_.first, comm_),
                .second = comm::ordered_sum(second, block_.first, comm_)};
    }

  private:
    Moments moments_of_label(std::size_t i, double inverse) const {
        const auto label =
            static_cast<std::size_t>(samples_.labels[static_cast<std::size_t>(block_.first) + i]);
        const auto row = logits_.subspan(i * classes_, classes_);
        if (label < classes_) return {.mean = static_cast<double>(row[label]), .variance = 0};
        return moments(row, samples_.inner[label - classes_], inverse);
    }

    std::span<const float> logits_;
    const Samples& samples_;
    const comm::Communicator& comm_;
    comm::RowBlock block_;
    std::size_t classes_;
};

}  // namespace

double fit_temperature(std::span<const float> logits, const Samples& samples,
                       const comm::Communicator& comm) {
    const Likelihood likelihood(logits, samples, comm);
    double low = 1 / highest, high = 1 / lowest;
    if (samples.rows.empty() || likelihood(high).first <= 0) return 1;
    if (likelihood(low).first >= 0) return highest;
    // Newton's steps, kept within a bracket that shrinks at each.
    double inverse = 1;
    for (int step = 0; step < 100 && high - low > 1e-12 * high; ++step) {
        const auto slope = likelihood(inverse);
        (slope.first > 0 ? high : low) = inverse;
        double next = inverse - slope.first / slope.second;
        if (!(next > low && next < high)) next = std::sqrt(low * high);
        const bool is_there = std::abs(next - inverse) < 1e-10 * inverse;
        inverse = next;
        if (is_there) break;
    }
    return 1 / inverse;
}

Calibration calibrate(ModelFile& model, const Images& images, const Samples& samples,
                      double target_precision, const InferenceOptions& options,
                      const comm::Communicator& comm) {
    model.temperature = 1;
    model.threshold.reset();
    if (samples.rows.empty()) return {};
    const auto classes = static_cast<int>(model.classes.size());
    const ImageInputs inputs(images, model.size, model.mean, model.std, std::nullopt, 0);
    auto network = inference_network(model, options, {}, comm);
    const auto logits = sample_logits(network, options.batch, inputs, samples, comm);
    model.temperature = fit_temperature(logits, samples, comm);
    const auto judgements = judge_logits(logits, model.temperature, samples, nullptr, comm);
    if (target_precision > 0)
        model.threshold = choose_threshold(coverage_curve(judgements, classes), target_precision);
    return {.rows = std::ssize(samples.rows),
            .before = compute_metrics(judge_logits(logits, 1, samples, nullptr, comm), classes),
            .after = compute_metrics(judgements, classes)};
}

}  // namespace nanoatlas::nn
