#include "nn/train/order.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "base/random.hpp"

namespace nanoatlas::nn {

Sampling parse_sampling(const std::string& name) {
    if (name == "balanced") return Sampling::balanced;
    VALIDATE(name == "all", "unknown sampling '{}' (known: all, balanced); choose one of these",
             name);
    return Sampling::all;
}

TrainingOrder::TrainingOrder(std::span<const std::int32_t> labels, const OrderSettings& settings)
    : steps_(std::ssize(labels),
             static_cast<int>((std::ssize(labels) + settings.batch - 1) / settings.batch)),
      passes_(std::clamp<std::int64_t>(steps_.rows() / std::max(steps_.ranks(), 1), 1,
                                       settings.passes)),
      settings_(settings) {
    if (settings.sampling == Sampling::balanced)
        for (std::size_t i = 0; i < labels.size(); ++i)
            members_[labels[i]].push_back(static_cast<std::int64_t>(i));
}

std::int64_t TrainingOrder::most_of_rank(int ranks) const {
    // The first step, the first pass and the first rank are the longest.
    const auto pass = comm::BlockDistribution(steps_.block(0).count, static_cast<int>(passes_));
    return comm::BlockDistribution(pass.block(0).count, ranks).block(0).count;
}

std::span<const Draw> TrainingOrder::draws(const Pass& pass) {
    if (pass.epoch != epoch_) {
        order_ = draw_epoch(pass.epoch);
        epoch_ = pass.epoch;
    }
    const auto step = steps_.block(static_cast<int>(pass.step));
    const auto part = comm::BlockDistribution(step.count, static_cast<int>(passes_))
                          .block(static_cast<int>(pass.pass));
    return std::span<const Draw>(order_).subspan(static_cast<std::size_t>(step.first + part.first),
                                                 static_cast<std::size_t>(part.count));
}

std::vector<Draw> TrainingOrder::draw_epoch(std::int64_t epoch) const {
    const auto places = base::permutation(
        steps_.rows(), base::Random(settings_.seed, base::fnv1a("training order"), epoch));
    std::vector<Draw> order;
    if (settings_.sampling == Sampling::all) {
        for (const auto sample : places) order.push_back({sample, epoch});
        return order;
    }
    const auto drawn = draw_balanced(epoch);
    for (const auto place : places) order.push_back(drawn[static_cast<std::size_t>(place)]);
    return order;
}

/// A class whose turn comes more often than it has samples goes through them again, in another
/// order and other variations; one with more samples than turns gives other ones each epoch.
std::vector<Draw> TrainingOrder::draw_balanced(std::int64_t epoch) const {
    constexpr std::int64_t repeat = std::int64_t{1} << 32;  // more than there are epochs
    const auto classes = std::ssize(members_);
    const auto base = steps_.rows() / classes, longer = steps_.rows() % classes;
    std::vector<Draw> drawn;
    std::int64_t place = epoch;  // so that all classes have their turn at being one longer
    for (const auto& [label, samples] : members_) {
        const auto turns = base + (place++ % classes < longer ? 1 : 0);
        const auto count = std::ssize(samples);
        for (std::int64_t round = 0; round * count < turns; ++round) {
            const auto order = base::permutation(
                count, base::Random(settings_.seed, base::fnv1a("balanced"), epoch, label, round));
            const auto taken = std::min(count, turns - round * count);
            for (std::int64_t i = 0; i < taken; ++i)
                drawn.push_back(
                    {samples[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])],
                     epoch + round * repeat});
        }
    }
    return drawn;
}

}  // namespace nanoatlas::nn
