#include "nn/train/order.hpp"

#include "base/random.hpp"

namespace nanoatlas::nn {

TrainingOrder::TrainingOrder(std::int64_t samples, std::int64_t batch, std::uint64_t seed)
    : steps_(samples, static_cast<int>((samples + batch - 1) / batch)), seed_(seed) {}

std::int64_t TrainingOrder::most_of_rank(int ranks) const {
    // The first step and the first rank are the longest.
    return comm::BlockDistribution(steps_.block(0).count, ranks).block(0).count;
}

std::span<const std::int64_t> TrainingOrder::slice(std::int64_t epoch, std::int64_t step, int rank,
                                                   int ranks) {
    if (epoch != epoch_) {
        order_ = base::permutation(steps_.rows(),
                                   base::Random(seed_, base::fnv1a("training order"), epoch));
        epoch_ = epoch;
    }
    const auto whole = steps_.block(static_cast<int>(step));
    const auto mine = comm::BlockDistribution(whole.count, ranks).block(rank);
    return std::span<const std::int64_t>(order_).subspan(
        static_cast<std::size_t>(whole.first + mine.first), static_cast<std::size_t>(mine.count));
}

}  // namespace nanoatlas::nn
