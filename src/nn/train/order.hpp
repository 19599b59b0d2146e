// Which samples each training step takes, and which of them each rank.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "comm/distribution.hpp"

namespace nanoatlas::nn {

/// How an epoch draws from the samples; as many in all, either way.
enum class Sampling {
    all,       ///< each once
    balanced,  ///< each class equally often
};

/// throws InputError for anything but "all" and "balanced"
Sampling parse_sampling(const std::string& name);

struct OrderSettings {
    std::int64_t batch = 64;  ///< samples of a step over all ranks, at most; > 0
    std::int64_t passes = 1;  ///< parts of a step, one after the other; > 0
    Sampling sampling = Sampling::all;
    std::uint64_t seed = 1;
};

struct Draw {
    std::int64_t sample;     ///< its number
    std::int64_t variation;  ///< of its augmentation: the epoch; others where it comes repeatedly
};

/// Which part of which step.
struct Pass {
    std::int64_t epoch, step, pass;
};

/// The draws of an epoch, in an order that is a function of (seed, epoch), cut into steps whose
/// sizes differ by one at most (so no step is left with a rest too small for batch norm), and these
/// into passes. A rank takes a contiguous slice of a pass: the pass holds the same samples on any
/// number of ranks.
class TrainingOrder {
  public:
    /// labels: of the samples
    TrainingOrder(std::span<const std::int32_t> labels, const OrderSettings& settings);

    std::int64_t steps() const { return steps_.ranks(); }
    /// Of each step; fewer than wanted if a step has not as many samples.
    std::int64_t passes() const { return passes_; }
    /// Samples of a rank in a pass, at most.
    std::int64_t most_of_rank(int ranks) const;
    /// Number of a pass over the whole training.
    std::int64_t number(const Pass& pass) const {
        return (pass.epoch * steps() + pass.step) * passes_ + pass.pass;
    }
    /// What all ranks draw together; a rank's slice is its block of it. Valid until the next call.
    std::span<const Draw> draws(const Pass& pass);

  private:
    std::vector<Draw> draw_epoch(std::int64_t epoch) const;
    std::vector<Draw> draw_balanced(std::int64_t epoch) const;

    comm::BlockDistribution steps_;
    std::int64_t passes_;
    OrderSettings settings_;
    std::map<std::int32_t, std::vector<std::int64_t>> members_;  ///< samples by label
    std::int64_t epoch_ = -1;
    std::vector<Draw> order_;
};

}  // namespace nanoatlas::nn
