// The exponential moving average of a network's weights and running statistics, which often
// generalises better than the weights of any one step (Polyak, Juditsky 1992).
#pragma once

#include <cstdint>

#include "nn/network.hpp"
#include "nn/values.hpp"

namespace nanoatlas::nn {

/// average += (1 - d) * (weights - average) after each step, where d = min(decay, (1 + t) / (10 +
/// t)) with the number t of steps made, so that a short training's average is not that of its
/// beginning.
class WeightAverage {
  public:
    /// Begins with the network's tensors as they are; the network must outlive it.
    WeightAverage(Network& network, double decay);

    /// After step t, counted from 1.
    void update(Network& network, std::int64_t t);
    /// The network's tensors become the average and this keeps its weights, until it is called
    /// again.
    void exchange(Network& network);

  private:
    double decay_;
    Values parameters_, buffers_;
};

}  // namespace nanoatlas::nn
