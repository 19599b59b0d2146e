#include "nn/train/hooks.hpp"

#include <fmt/format.h>

#include "base/check.hpp"
#include "base/stopwatch.hpp"

namespace nanoatlas::nn {

void stop_if_asked(const TrainingHooks& hooks, const Deadline& deadline, double passes,
                   const TrainingState& state, const std::function<void()>& save,
                   const comm::Communicator& comm) {
    const bool asked = hooks.stop();
    // The ranks' clocks differ.
    const bool late = deadline.limit() > 0 &&
                      comm.any(deadline.is_too_close(base::process_watch.seconds(), passes));
    if (!asked && !late) return;
    save();
    throw StoppedOnRequest(
        fmt::format("training stopped {} in epoch {}, step {}; run the same command with --resume "
                    "to go on",
                    asked ? "on request" : "before its time limit", state.epoch + 1, state.step));
}

}  // namespace nanoatlas::nn
