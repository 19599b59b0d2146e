// Which samples each training step takes, and which of them each rank.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/distribution.hpp"

namespace nanoatlas::nn {

/// The samples 0 .. samples - 1, in an order that is a function of (seed, epoch), cut into steps
/// whose sizes differ by one at most (so no step is left with a rest too small for batch norm). A
/// rank takes a contiguous slice of a step: the step holds the same samples on any number of ranks.
class TrainingOrder {
  public:
    /// batch: samples of a step over all ranks, at most; > 0
    TrainingOrder(std::int64_t samples, std::int64_t batch, std::uint64_t seed);

    std::int64_t steps() const { return steps_.ranks(); }
    /// Samples of a rank in a step, at most.
    std::int64_t most_of_rank(int ranks) const;
    /// This rank's samples.
    std::span<const std::int64_t> slice(std::int64_t epoch, std::int64_t step, int rank, int ranks);

  private:
    comm::BlockDistribution steps_;
    std::uint64_t seed_;
    std::int64_t epoch_ = -1;
    std::vector<std::int64_t> order_;
};

}  // namespace nanoatlas::nn
