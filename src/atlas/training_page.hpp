// How a training goes, as one page that opens from disk by itself: it loads itself anew while the
// training runs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace nanoatlas::atlas {

/// Of the epoch that is being trained.
struct EpochSoFar {
    double done = 0;  ///< share of it
    double loss = 0, accuracy = 0;
};

struct TrainingStory {
    std::string title;                   ///< "resnet18 on corpus.h5"
    std::int64_t epochs = 0;             ///< wanted
    std::vector<std::string> history{};  ///< a JSON line of metrics for each epoch done
    std::optional<EpochSoFar> now{};
    std::string ended{};    ///< how; "": it runs
    std::string written{};  ///< when, UTC: "2026-01-31T12:00:00Z"
};

/// Loss, accuracy, learning rate and images a second over the epochs, and a table of them.
std::string training_page(const TrainingStory& story);

/// A learning-rate range test: loss over rate. smoothed, losses: rate and value by step
struct RateTestStory {
    std::string title;
    std::vector<std::pair<double, double>> losses, smoothed;
    std::optional<double> suggestion{};
};
std::string rate_test_page(const RateTestStory& story);

}  // namespace nanoatlas::atlas
