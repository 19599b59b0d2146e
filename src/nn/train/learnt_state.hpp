// What a network and its optimiser have learnt, into the state of a training and out of it.
#pragma once

#include "nn/network.hpp"
#include "nn/train/checkpoint.hpp"
#include "nn/train/optimizer.hpp"

namespace nanoatlas::nn {

/// Tensors, the optimiser's buffers by name of the parameter, and the number of its steps.
void save_learnt(const Network& network, const Optimizer& optimizer, TrainingState& state);

/// Parameters that the state knows no buffers of keep those that they have.
void load_learnt(const TrainingState& state, Network& network, Optimizer& optimizer);

}  // namespace nanoatlas::nn
