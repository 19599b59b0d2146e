#include "nn/train/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/check.hpp"

namespace nanoatlas::nn {
namespace {

/// From start (share 0) to end (share 1) along half a cosine.
double anneal(double start, double end, double share) {
    return end + (start - end) / 2 * (1 + std::cos(std::numbers::pi * share));
}

double one_cycle(const Schedule& schedule, double step) {
    const double start = schedule.peak / schedule.start_divisor;
    const double rise_end = schedule.rising * static_cast<double>(schedule.total) - 1;
    const double last = static_cast<double>(schedule.total) - 1;
    if (step <= rise_end) return anneal(start, schedule.peak, step / rise_end);
    const double share = last > rise_end ? (step - rise_end) / (last - rise_end) : 1;
    return anneal(schedule.peak, start / schedule.final_divisor, share);
}

double cosine(const Schedule& schedule, std::int64_t step) {
    const auto falling = std::max<std::int64_t>(1, schedule.total - schedule.warmup);
    const auto share = static_cast<double>(step - schedule.warmup) / static_cast<double>(falling);
    return anneal(schedule.peak, 0, std::min(1.0, share));
}

}  // namespace

ScheduleKind parse_schedule(const std::string& name) {
    if (name == "constant") return ScheduleKind::constant;
    if (name == "onecycle") return ScheduleKind::onecycle;
    VALIDATE(name == "cosine",
             "unknown schedule '{}' (known: constant, cosine, onecycle); choose one of these",
             name);
    return ScheduleKind::cosine;
}

double learning_rate(const Schedule& schedule, std::int64_t step) {
    if (schedule.kind == ScheduleKind::onecycle)
        return one_cycle(schedule, static_cast<double>(step));
    if (step < schedule.warmup)
        return schedule.peak * static_cast<double>(step + 1) /
               static_cast<double>(schedule.warmup + 1);
    return schedule.kind == ScheduleKind::constant ? schedule.peak : cosine(schedule, step);
}

}  // namespace nanoatlas::nn
