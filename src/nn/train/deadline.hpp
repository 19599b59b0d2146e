// The time limit of a run, and whether what comes next still fits in front of it.
#pragma once

#include <cstdint>
#include <string>

namespace nanoatlas::nn {

/// Seconds from "90" (minutes), "1:30:00" (hours, minutes, seconds) or "2-00:00:00" (days before
/// them), as SLURM writes its limits. throws InputError
double parse_time_limit(const std::string& text);

/// Counts from the start of the process, as the limit of a batch job does. Learns how long steps,
/// the ends of epochs and checkpoints take.
class Deadline {
  public:
    /// limit [s]; 0: none
    explicit Deadline(double limit = 0) : limit_(limit) {}

    double limit() const { return limit_; }
    void step_took(double seconds);
    /// An epoch's end without its checkpoint.
    void epoch_end_took(double seconds);
    void checkpoint_took(double seconds);

    /// One more step with a checkpoint behind it would end too late. By this rank's clock. Not
    /// collective.
    ///
    /// elapsed  since the process began [s]
    /// passes   steps' worth of images that are evaluated before that step, because an epoch ends;
    ///          0: none does
    bool is_too_close(double elapsed, double passes) const;

  private:
    double limit_;
    double step_ = 0, epoch_end_ = 0, checkpoint_ = 0;  ///< the longest so far [s]
};

}  // namespace nanoatlas::nn
