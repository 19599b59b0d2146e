#include "nn/ranges.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "nn/network.hpp"

namespace nanoatlas::nn {
namespace {

/// Square error of the counted magnitudes with steps up to a limit.
double square_error(std::span<const std::int64_t> counts, double width, double limit, int levels) {
    const double step = limit / levels;
    double error = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] == 0) continue;
        const double value = (static_cast<double>(i) + 0.5) * width;
        const double level = std::min<double>(std::nearbyint(value / step), levels);
        error += static_cast<double>(counts[i]) * std::pow(value - level * step, 2);
    }
    return error;
}

}  // namespace

void Histogram::add(std::span<const float> values) {
    float low = 0, high = 0, sum = 0;
#pragma omp parallel for simd reduction(min : low) reduction(max : high) reduction(+ : sum)
    for (std::size_t i = 0; i < values.size(); ++i) {
        low = std::min(low, values[i]);
        high = std::max(high, values[i]);
        sum += values[i] * 0.0F;  // NaN if any is not finite
    }
    VALIDATE(sum == 0,
             "a layer puts out values that are not finite (the weights are damaged?); "
             "there is no range to quantise them to");
    is_signed_ = is_signed_ || low < 0;
    const float largest = std::max(high, -low);
    if (largest == 0) return;
    grow(std::ilogb(largest) + 1);

    const float per_value = std::ldexp(static_cast<float>(bins), -exponent_);
    std::int64_t* const counts = counts_.data();
#pragma omp parallel for schedule(static) reduction(+ : counts[:bins])
    for (std::size_t i = 0; i < values.size(); ++i)
        // Zeros are represented exactly, whatever the limit.
        if (values[i] != 0) ++counts[static_cast<int>(std::abs(values[i]) * per_value)];
}

bool Histogram::is_empty() const {
    return std::ranges::all_of(counts_, [](auto count) { return count == 0; });
}

void Histogram::grow(int exponent) {
    if (is_empty()) exponent_ = std::max(exponent_, exponent);
    for (; exponent_ < exponent; ++exponent_) {
        for (std::size_t i = 0; i < bins / 2; ++i) counts_[i] = counts_[2 * i] + counts_[2 * i + 1];
        std::fill(counts_.begin() + bins / 2, counts_.end(), 0);
    }
}

void Histogram::sum(const comm::Communicator& comm) {
    grow(comm.max(exponent_));
    is_signed_ = comm.any(is_signed_);
    comm.sum(std::span<std::int64_t>(counts_));
}

Range Histogram::best_range() const {
    constexpr int candidates = 256;
    const int levels = is_signed_ ? 127 : 255;
    Range best{.limit = 1, .is_signed = is_signed_};
    if (is_empty()) return best;
    double least = -1;
    for (int i = 1; i <= candidates; ++i) {
        const double limit = std::ldexp(i, exponent_) / candidates;
        const double error =
            square_error(counts_, std::ldexp(1.0 / bins, exponent_), limit, levels);
        if (least >= 0 && error >= least) continue;
        least = error;
        best.limit = limit;
    }
    return best;
}

void RangeFinder::add(Network& network, std::span<const float> images) {
    network.observe(images, [&](const std::string& node, std::span<const float> values) {
        histograms_[node].add(values);
    });
}

Ranges RangeFinder::ranges(const Network& network, const comm::Communicator& comm) {
    Ranges ranges;
    for (const auto& node : network.graph().nodes()) {
        if (!comm.any(histograms_.contains(node.name))) continue;
        auto& histogram = histograms_[node.name];
        histogram.sum(comm);
        ranges[node.name] = histogram.best_range();
    }
    return ranges;
}

}  // namespace nanoatlas::nn
