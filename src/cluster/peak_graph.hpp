// Peaks and the saddles between them, while peaks are merged.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "cluster/saddles.hpp"

namespace nanoatlas::cluster {

/// Each pair of peaks has at most one saddle. Of two merged peaks the one that stands out by the
/// greater multiple of the errors takes the other's saddles where they are higher than its own.
class PeakGraph {
  public:
    /// peaks must outlive the graph.
    explicit PeakGraph(std::span<const Peak> peaks);

    /// A saddle, or a higher one in the place of another.
    void add(const Saddle& saddle);

    /// The Z of the less significant of its two peaks above the saddle.
    double significance(const Saddle& saddle) const;

    /// Whether a saddle that was added has been neither replaced nor merged away.
    bool is_current(const Saddle& saddle) const;

    struct Merged {
        std::int32_t kept, dropped;
        std::vector<Saddle> inherited;  ///< saddles that the kept peak has now and had not
    };
    /// Merges the peaks on both sides of a current saddle.
    Merged merge(const Saddle& saddle);

    /// [peaks] the surviving peak that each belongs to; itself if it survives.
    std::vector<std::int32_t> survivors() const;
    /// Between surviving peaks, by (low, high).
    std::vector<Saddle> saddles() const;

  private:
    using Meetings = std::map<std::int32_t, Saddle>;

    Meetings& at(std::int32_t peak) { return meets_[static_cast<std::size_t>(peak)]; }
    double margin(std::int32_t peak, const Saddle& saddle) const;

    std::span<const Peak> peaks_;
    std::vector<std::int32_t> joined_;
    std::vector<Meetings> meets_;  // by peak: the saddles to others
};

}  // namespace nanoatlas::cluster
