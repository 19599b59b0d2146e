// The learning-rate range test: a short training whose rate grows from far too small to too large.
// Smith, arXiv:1506.01186.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nn/train/step_taker.hpp"

namespace nanoatlas::nn {

struct RateTestSettings {
    std::int64_t steps = 100;
    double lowest = 1e-7, highest = 10;  ///< rates, of the first and the last step
    double memory = 0.95;                ///< share of the smoothed loss that a step keeps
    double diverged = 4;                 ///< smoothed loss over its lowest value that ends the test
};

struct RateTest {
    std::vector<double> rates, losses, smoothed;  ///< by step
    /// Where the smoothed loss falls fastest over the logarithm of the rate; none if it never does.
    std::optional<double> suggestion;
};

/// Rate of a step: grows by the same factor from each to the next.
double test_rate(const RateTestSettings& settings, std::int64_t step);

/// The losses' running mean, as if it had begun with them (as Adam corrects its moments), and what
/// it suggests. losses: one by step, all finite
RateTest judge_losses(const RateTestSettings& settings, std::vector<double> losses);

/// Makes the steps; the test ends with the last one, or as soon as the loss diverges. The network's
/// weights are of no use then. Collective.
RateTest run_rate_test(StepTaker& steps, const RateTestSettings& settings);

/// {"suggestion": ..., "steps": [{"rate": ..., "loss": ..., "smoothed": ...}, ...]}
std::string rate_test_json(const RateTest& test);

}  // namespace nanoatlas::nn
