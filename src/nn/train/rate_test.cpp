#include "nn/train/rate_test.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/progress.hpp"

namespace nanoatlas::nn {
namespace {

/// The step before the lowest smoothed loss round which it falls fastest; the rates' logarithms lie
/// equally far apart, so differences over as many steps are slopes. The first tenth is passed over:
/// there the mean is of few losses.
std::optional<std::size_t> steepest_fall(const std::vector<double>& smoothed) {
    const auto lowest =
        static_cast<std::size_t>(std::ranges::min_element(smoothed) - smoothed.begin());
    const auto width = std::max<std::size_t>(1, smoothed.size() / 20);
    std::optional<std::size_t> steepest;
    double largest = 0;
    for (std::size_t i = std::max(width, smoothed.size() / 10);
         i < lowest && i + width < smoothed.size(); ++i) {
        const double fall = smoothed[i - width] - smoothed[i + width];
        if (fall <= largest) continue;
        largest = fall;
        steepest = i;
    }
    return steepest;
}

}  // namespace

double test_rate(const RateTestSettings& settings, std::int64_t step) {
    const auto share = static_cast<double>(step) /
                       static_cast<double>(std::max<std::int64_t>(1, settings.steps - 1));
    return settings.lowest * std::pow(settings.highest / settings.lowest, share);
}

RateTest judge_losses(const RateTestSettings& settings, std::vector<double> losses) {
    RateTest test;
    double mean = 0;
    for (std::size_t i = 0; i < losses.size(); ++i) {
        mean = settings.memory * mean + (1 - settings.memory) * losses[i];
        test.rates.push_back(test_rate(settings, static_cast<std::int64_t>(i)));
        test.smoothed.push_back(mean / (1 - std::pow(settings.memory, static_cast<double>(i) + 1)));
    }
    test.losses = std::move(losses);
    if (const auto step = steepest_fall(test.smoothed)) test.suggestion = test.rates[*step];
    return test;
}

RateTest run_rate_test(StepTaker& steps, const RateTestSettings& settings) {
    base::Progress progress("train/rates", settings.steps, "steps");
    const auto an_epoch = steps.order().steps();
    std::vector<double> losses;
    RateTest test;
    for (std::int64_t i = 0; i < settings.steps; ++i) {
        try {
            losses.push_back(steps.take(i / an_epoch, i % an_epoch, test_rate(settings, i)).loss);
        } catch (const LossNotFinite&) {
            break;  // the end that is looked for
        }
        progress.advance();
        test = judge_losses(settings, losses);
        const double lowest = *std::ranges::min_element(test.smoothed);
        if (test.smoothed.back() > settings.diverged * lowest) break;
    }
    return test;
}

std::string rate_test_json(const RateTest& test) {
    auto steps = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < test.rates.size(); ++i)
        steps.push_back(
            {{"rate", test.rates[i]}, {"loss", test.losses[i]}, {"smoothed", test.smoothed[i]}});
    nlohmann::ordered_json json = {{"suggestion", nullptr}, {"steps", steps}};
    if (test.suggestion) json["suggestion"] = *test.suggestion;
    return json.dump(2) + "\n";
}

}  // namespace nanoatlas::nn
