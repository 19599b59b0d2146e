// What a training tells whoever runs it, and how it is made to stop.
#pragma once

#include <functional>
#include <string>

#include "comm/communicator.hpp"
#include "nn/train/checkpoint.hpp"
#include "nn/train/deadline.hpp"

namespace nanoatlas::nn {

struct TrainingHooks {
    /// True on all ranks when training must stop now; called once a step. Collective.
    std::function<bool()> stop = [] { return false; };
    /// When training must have stopped, since the process began [s]; 0: never.
    double time_limit = 0;
    /// Keeps the state: after each epoch, and before stopping. Collective.
    std::function<void(const TrainingState&)> save = [](const TrainingState&) {};
    /// Told the epoch's figures so far, on every rank; tensors are those of the last save(). Not
    /// collective.
    std::function<void(const TrainingState&)> step_done = [](const TrainingState&) {};
    /// Told each line of metrics, on every rank.
    std::function<void(const std::string&)> epoch_done = [](const std::string&) {};
};

/// Ends a training after a step if hooks.stop() says so, or one more step would end behind the time
/// limit. Collective.
///
/// passes  as Deadline::is_too_close()
/// save    brings the state up to date and hands it to hooks.save(); called before it throws
/// throws  StoppedOnRequest: says why, and after which step
void stop_if_asked(const TrainingHooks& hooks, const Deadline& deadline, double passes,
                   const TrainingState& state, const std::function<void()>& save,
                   const comm::Communicator& comm);

}  // namespace nanoatlas::nn
