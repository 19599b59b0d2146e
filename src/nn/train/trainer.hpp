// Data-parallel training: epochs of steps over all ranks, validation, the choice of the best epoch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "nn/network.hpp"
#include "nn/train/checkpoint.hpp"
#include "nn/train/deadline.hpp"
#include "nn/train/hooks.hpp"
#include "nn/train/step_taker.hpp"

namespace nanoatlas::nn {

struct TrainingResult {
    TensorMap tensors;
    std::int64_t epoch = 0;                     ///< whose tensors they are, from 1
    std::optional<double> validation_accuracy;  ///< of the best epoch
    std::vector<EpochScore> best;               ///< as many as were to be kept, the best first
    std::vector<TensorMap> runners_up;          ///< of these but the first
};

/// Trains `network` (options.training on, tensors loaded) from its tensors, or from a state that
/// an earlier run kept. The network takes as many samples a call as TrainingOrder::most_of_rank().
class Trainer {
  public:
    Trainer(Network& network, const TrainingData& data, const TrainSettings& settings,
            const comm::Communicator& comm);

    /// Goes on from a state. The same ranks and settings give the same bits as one run.
    void resume(TrainingState state);

    /// To the end. Collective.
    /// throws LossNotFinite; StoppedOnRequest after hooks.stop() said so, or time ran out, and
    /// hooks.save() was called
    TrainingResult run(const TrainingHooks& hooks);
    /// The same up to an epoch, if it does not end before. Collective.
    void run_to(std::int64_t epoch, const TrainingHooks& hooks);

    /// All epochs are done, or the last ones were no better.
    bool is_over() const;
    TrainingResult result() const;
    /// As hooks.save() got it last; this trainer is of no use then.
    TrainingState release() { return std::move(state_); }

  private:
    void train_epoch(const TrainingHooks& hooks);
    void finish_epoch(const TrainingHooks& hooks);
    std::optional<Metrics> validate();
    void save(const TrainingHooks& hooks);
    /// throws StoppedOnRequest if this is so. Collective.
    void stop_if_asked(const TrainingHooks& hooks);
    std::string metrics_line(const std::optional<Metrics>& validation) const;
    std::int64_t global_step() const { return state_.epoch * steps_.order().steps() + state_.step; }
    /// Learning rate of a step, counted over all epochs.
    double rate(std::int64_t step) const;

    Network& network_;
    const TrainingData& data_;
    TrainSettings settings_;
    const comm::Communicator& comm_;
    StepTaker steps_;
    Deadline deadline_;
    TrainingState state_;
};

}  // namespace nanoatlas::nn
