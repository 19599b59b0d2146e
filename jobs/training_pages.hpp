// The pages that show how a training goes, written while it does.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/stopwatch.hpp"
#include "comm/communicator.hpp"
#include "nn/train/rate_test.hpp"
#include "nn/train/trainer.hpp"

namespace nanoatlas::jobs {

/// curves.html, there whole or not at all; the page before is replaced. Rank 0 writes; a page that
/// cannot be written is a warning, not the end of the training.
class CurvesPage {
  public:
    /// title: "resnet18 on corpus.h5"
    /// samples: of an epoch
    CurvesPage(std::string path, std::string title, std::int64_t epochs, std::int64_t samples,
               const comm::Communicator& world);

    /// What is so after a step: written every few seconds. Not collective.
    void step_done(const nn::TrainingState& state);
    /// What is so at the beginning, after an epoch, or before a stop. Not collective.
    void show(const nn::TrainingState& state);
    /// How it ended; the page stays as it is then. Not collective.
    void ended(const std::string& how);

  private:
    void write(const std::string& how);

    std::string path_, title_;
    std::int64_t epochs_, samples_;
    bool writes_;
    base::Stopwatch since_;
    std::vector<std::string> history_;
    std::int64_t seen_ = 0, correct_ = 0;
    double loss_sum_ = 0;
};

/// find-lr.json and find-lr.html in the folder. Collective.
void write_rate_test(const std::string& folder, const std::string& title, const nn::RateTest& test,
                     const comm::Communicator& world);

}  // namespace nanoatlas::jobs
