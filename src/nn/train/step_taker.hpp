// One training step: passes forward and back, the gradient made ready, the weights updated.
#pragma once

#include <optional>

#include "comm/communicator.hpp"
#include "nn/network.hpp"
#include "nn/train/batches.hpp"
#include "nn/train/checkpoint.hpp"
#include "nn/train/culprits.hpp"
#include "nn/train/gradient.hpp"
#include "nn/train/weight_average.hpp"

namespace nanoatlas::nn {

struct TrainingData {
    const Inputs& inputs;
    Samples train, validation;
    NameRow name_row = number_of_row;
};

/// The network (options.training on, tensors loaded) takes as many samples a call as
/// TrainingOrder::most_of_rank().
class StepTaker {
  public:
    /// network, data and comm must outlive this.
    StepTaker(Network& network, const TrainingData& data, const TrainSettings& settings,
              const comm::Communicator& comm);

    const TrainingOrder& order() const { return batches_.order(); }
    /// Collective. throws LossNotFinite on every rank, before the weights are changed
    StepResult take(std::int64_t epoch, std::int64_t step, double rate);

    /// Tensors, average and optimiser's buffers into a state and out of it. Parameters that the
    /// state knows no buffers of begin with zeros.
    void save(TrainingState& state);
    void load(const TrainingState& state);

    /// While it lives, the network has the weights that count: their average if there is one.
    class Counting {
      public:
        explicit Counting(StepTaker& steps) : steps_(steps) { steps_.exchange(); }
        ~Counting() { steps_.exchange(); }
        Counting(const Counting&) = delete;
        Counting& operator=(const Counting&) = delete;

      private:
        StepTaker& steps_;
    };

  private:
    void exchange();
    /// The back end makes input of pictures itself, if it can and they are.
    void hand_over_pictures();
    StepResult take_pass(const Pass& pass, double rate);
    void check_finite(const StepResult& result, const Batch& batch, const Pass& pass, double rate);

    Network& network_;
    const TrainingData& data_;
    TrainSettings settings_;
    const comm::Communicator& comm_;
    Batches batches_;
    std::optional<GradientMean> mean_;  ///< where a step has more than one pass
    Optimizer optimizer_;
    std::optional<WeightAverage> average_;
};

}  // namespace nanoatlas::nn
