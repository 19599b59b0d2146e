#include "cluster/saddles.hpp"

#include <algorithm>
#include <map>
#include <queue>
#include <tuple>
#include <utility>

namespace nanoatlas::cluster {
namespace {

class PeakMerger {
  public:
    PeakMerger(std::span<const Peak> peaks, double significance)
        : peaks_(peaks), significance_(significance), joined_(peaks.size()), meets_(peaks.size()) {
        for (std::size_t i = 0; i < joined_.size(); ++i) joined_[i] = static_cast<std::int32_t>(i);
    }

    void add(const Saddle& saddle) {
        at(saddle.low).insert_or_assign(saddle.high, saddle);
        at(saddle.high).insert_or_assign(saddle.low, saddle);
        if (margin(saddle.low, saddle) < significance_ ||
            margin(saddle.high, saddle) < significance_)
            insignificant_.push(saddle);
    }

    void run() {
        while (!insignificant_.empty()) {
            const Saddle saddle = insignificant_.top();
            insignificant_.pop();
            if (is_current(saddle)) merge(saddle);
        }
    }

    MergedPeaks result() {
        MergedPeaks merged{joined_, {}};
        // A peak joins one that may itself join another later, so follow the chain.
        for (auto& peak : merged.survivor)
            while (joined_[static_cast<std::size_t>(peak)] != peak)
                peak = joined_[static_cast<std::size_t>(peak)];
        for (std::size_t low = 0; low < meets_.size(); ++low)
            for (const auto& [other, saddle] : meets_[low])
                if (saddle.low == static_cast<std::int32_t>(low)) merged.saddles.push_back(saddle);
        return merged;
    }

  private:
    using Meetings = std::map<std::int32_t, Saddle>;

    struct Lower {
        bool operator()(const Saddle& a, const Saddle& b) const {
            return std::tuple(a.density, b.low, b.high) < std::tuple(b.density, a.low, a.high);
        }
    };

    Meetings& at(std::int32_t peak) { return meets_[static_cast<std::size_t>(peak)]; }

    double margin(std::int32_t peak, const Saddle& saddle) const {
        const auto& summit = peaks_[static_cast<std::size_t>(peak)];
        return (summit.density - saddle.density) / (summit.error + saddle.error);
    }

    // The queue keeps saddles that a merger has since replaced or removed.
    bool is_current(const Saddle& saddle) {
        const auto found = at(saddle.low).find(saddle.high);
        return found != at(saddle.low).end() && found->second.density == saddle.density;
    }

    void merge(const Saddle& saddle) {
        auto keep = saddle.low, drop = saddle.high;
        if (margin(keep, saddle) < margin(drop, saddle)) std::swap(keep, drop);
        joined_[static_cast<std::size_t>(drop)] = keep;
        const Meetings inherited = std::exchange(at(drop), {});
        for (const auto& [other, theirs] : inherited) {
            at(other).erase(drop);
            if (other == keep) continue;
            const auto ours = at(keep).find(other);
            if (ours == at(keep).end() || ours->second.density < theirs.density)
                add({.low = std::min(keep, other),
                     .high = std::max(keep, other),
                     .density = theirs.density,
                     .error = theirs.error});
        }
    }

    std::span<const Peak> peaks_;
    double significance_;
    std::vector<std::int32_t> joined_;
    std::vector<Meetings> meets_;  // by peak: the saddles to others
    std::priority_queue<Saddle, std::vector<Saddle>, Lower> insignificant_;
};

}  // namespace

MergedPeaks merge_peaks(std::span<const Peak> peaks, std::span<const Saddle> saddles,
                        double significance) {
    PeakMerger merger(peaks, significance);
    for (const auto& saddle : saddles) merger.add(saddle);
    merger.run();
    return merger.result();
}

}  // namespace nanoatlas::cluster
