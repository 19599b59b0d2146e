// Learning rate as a function of the step.
#pragma once

#include <cstdint>
#include <string>

namespace nanoatlas::nn {

enum class ScheduleKind { constant, cosine, onecycle };

/// throws InputError for anything but "constant", "cosine" and "onecycle"
ScheduleKind parse_schedule(const std::string& name);

struct Schedule {
    ScheduleKind kind = ScheduleKind::cosine;
    double peak = 0.1;           ///< the highest rate
    std::int64_t warmup = 0;     ///< steps of linear rise (constant, cosine)
    std::int64_t total = 1;      ///< steps of the whole training
    double rising = 0.3;         ///< share of the steps that rise (onecycle)
    double start_divisor = 25;   ///< onecycle starts at peak / 25
    double final_divisor = 1e4;  ///< and ends at that start / 1e4, as in torch
};

/// Rate for step 0 .. total - 1.
/// cosine: rises linearly to the peak in the warm-up, then falls to 0 along half a cosine
/// (Loshchilov, Hutter, ICLR 2017). onecycle: torch's OneCycleLR with cosine annealing (Smith,
/// Topin, 2017).
double learning_rate(const Schedule& schedule, std::int64_t step);

}  // namespace nanoatlas::nn
