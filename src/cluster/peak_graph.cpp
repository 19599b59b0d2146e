#include "cluster/peak_graph.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace nanoatlas::cluster {

PeakGraph::PeakGraph(std::span<const Peak> peaks)
    : peaks_(peaks), joined_(peaks.size()), meets_(peaks.size()) {
    std::iota(joined_.begin(), joined_.end(), 0);
}

void PeakGraph::add(const Saddle& saddle) {
    at(saddle.low).insert_or_assign(saddle.high, saddle);
    at(saddle.high).insert_or_assign(saddle.low, saddle);
}

double PeakGraph::margin(std::int32_t peak, const Saddle& saddle) const {
    const auto& summit = peaks_[static_cast<std::size_t>(peak)];
    return (summit.density - saddle.density) / (summit.error + saddle.error);
}

double PeakGraph::significance(const Saddle& saddle) const {
    return std::min(margin(saddle.low, saddle), margin(saddle.high, saddle));
}

bool PeakGraph::is_current(const Saddle& saddle) const {
    const auto& meetings = meets_[static_cast<std::size_t>(saddle.low)];
    const auto found = meetings.find(saddle.high);
    return found != meetings.end() && found->second.density == saddle.density;
}

PeakGraph::Merged PeakGraph::merge(const Saddle& saddle) {
    Merged merged{.kept = saddle.low, .dropped = saddle.high, .inherited = {}};
    if (margin(merged.kept, saddle) < margin(merged.dropped, saddle))
        std::swap(merged.kept, merged.dropped);
    const auto keep = merged.kept;
    joined_[static_cast<std::size_t>(merged.dropped)] = keep;
    const Meetings theirs = std::exchange(at(merged.dropped), {});
    for (const auto& [other, met] : theirs) {
        at(other).erase(merged.dropped);
        if (other == keep) continue;
        const auto ours = at(keep).find(other);
        if (ours != at(keep).end() && ours->second.density >= met.density) continue;
        merged.inherited.push_back({.low = std::min(keep, other),
                                    .high = std::max(keep, other),
                                    .density = met.density,
                                    .error = met.error});
        add(merged.inherited.back());
    }
    return merged;
}

std::vector<std::int32_t> PeakGraph::survivors() const {
    auto survivor = joined_;
    // A peak joins one that may itself join another later, so follow the chain.
    for (auto& peak : survivor)
        while (joined_[static_cast<std::size_t>(peak)] != peak)
            peak = joined_[static_cast<std::size_t>(peak)];
    return survivor;
}

std::vector<Saddle> PeakGraph::saddles() const {
    std::vector<Saddle> all;
    for (std::size_t low = 0; low < meets_.size(); ++low)
        for (const auto& [other, saddle] : meets_[low])
            if (saddle.low == static_cast<std::int32_t>(low)) all.push_back(saddle);
    return all;
}

}  // namespace nanoatlas::cluster
