// Data-parallel training: epochs of steps over all ranks, validation, the choice of the best epoch.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "nn/network.hpp"
#include "nn/train/checkpoint.hpp"
#include "nn/train/evaluation.hpp"
#include "nn/train/optimizer.hpp"
#include "nn/train/order.hpp"
#include "nn/train/schedule.hpp"

namespace nanoatlas::nn {

/// Which epoch's tensors training ends with: that of the highest validation accuracy (of equals the
/// one of the lowest loss; the last one if there are no validation samples), or the last one.
enum class Choice { best, last };

struct TrainSettings {
    std::int64_t epochs = 10;
    std::int64_t batch = 64;  ///< samples of a step over all ranks
    OptimizerSettings optimizer;
    double weight_decay = 0.01;  ///< of weights; never of biases and norms
    ScheduleKind schedule = ScheduleKind::cosine;
    double rate = 1e-3;    ///< the highest one
    double warmup = 0.05;  ///< share of all steps
    double label_smoothing = 0;
    std::vector<float> class_weights;  ///< empty: all 1
    std::uint64_t seed = 1;
    Choice choice = Choice::best;
};

struct TrainingData {
    const Inputs& inputs;
    Samples train, validation;
};

struct TrainingHooks {
    /// True on all ranks when training must stop now; called once a step. Collective.
    std::function<bool()> stop = [] { return false; };
    /// Keeps the state: after each epoch, and before stopping. Collective.
    std::function<void(const TrainingState&)> save = [](const TrainingState&) {};
    /// Told each line of metrics, on every rank.
    std::function<void(const std::string&)> epoch_done = [](const std::string&) {};
};

struct TrainingResult {
    TensorMap tensors;
    std::int64_t epoch = 0;                     ///< whose tensors they are, from 1
    std::optional<double> validation_accuracy;  ///< of the best epoch
};

/// Trains `network` (options.training on, tensors loaded) from its tensors, or from a state that
/// an earlier run kept. The network takes as many samples a call as TrainingOrder::most_of_rank().
class Trainer {
  public:
    Trainer(Network& network, const TrainingData& data, const TrainSettings& settings,
            const comm::Communicator& comm);

    /// Goes on from a state. The same ranks and settings give the same bits as one run.
    void resume(TrainingState state);

    /// Collective.
    /// throws InputError if the loss is not finite: names epoch, step and likely cause;
    /// StoppedOnRequest after hooks.stop() said so and hooks.save() was called
    TrainingResult run(const TrainingHooks& hooks);

  private:
    void train_epoch(const TrainingHooks& hooks);
    void train_step();
    void finish_epoch(const TrainingHooks& hooks);
    void keep_if_best(const Metrics& validation);
    std::string metrics_line(const std::optional<Metrics>& validation) const;
    void check_finite(double loss) const;
    std::int64_t global_step() const { return state_.epoch * order_.steps() + state_.step; }
    /// Learning rate of a step, counted over all epochs.
    double rate(std::int64_t step) const;
    /// The state with tensors and optimiser's buffers as they are now.
    void capture();

    Network& network_;
    const TrainingData& data_;
    TrainSettings settings_;
    const comm::Communicator& comm_;
    TrainingOrder order_;
    Optimizer optimizer_;
    TrainingState state_;
};

}  // namespace nanoatlas::nn
