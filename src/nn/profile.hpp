// How long the stages of a network's plans take.
#pragma once

#include <map>

#include "base/stopwatch.hpp"

namespace nanoatlas::nn {

/// Seconds, summed over passes.
struct StageSeconds {
    double forward = 0, backward = 0;
};

/// By the node that gives a stage its kind (Group::first).
using Profile = std::map<int, StageSeconds>;

/// Adds the time of the scope it lives in, if a profile is asked for.
class StageTimer {
  public:
    StageTimer(Profile* profile, int node, double StageSeconds::*direction)
        : seconds_(profile == nullptr ? nullptr : &((*profile)[node].*direction)) {}
    ~StageTimer() {
        if (seconds_ != nullptr) *seconds_ += watch_.seconds();
    }
    StageTimer(const StageTimer&) = delete;
    StageTimer& operator=(const StageTimer&) = delete;

  private:
    double* seconds_;
    base::Stopwatch watch_;
};

}  // namespace nanoatlas::nn
