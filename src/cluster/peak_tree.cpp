#include "cluster/peak_tree.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <queue>
#include <tuple>

#include "cluster/peak_graph.hpp"

namespace nanoatlas::cluster {
namespace {

struct Candidate {
    Saddle saddle;
    double significance;
    bool is_within;  ///< a cluster
};

struct Later {
    bool operator()(const Candidate& a, const Candidate& b) const {
        return std::tuple(b.is_within, a.significance, b.saddle.density, a.saddle.low,
                          a.saddle.high) > std::tuple(a.is_within, b.significance, a.saddle.density,
                                                      b.saddle.low, b.saddle.high);
    }
};

class TreeBuilder {
  public:
    TreeBuilder(std::span<const Peak> peaks, std::span<const std::int32_t> survivor,
                double significance)
        : graph_(peaks), survivor_(survivor), significance_(significance), node_(peaks.size()) {
        std::iota(node_.begin(), node_.end(), 0);
        height_.assign(peaks.size(), 0);
    }

    void add(const Saddle& saddle) {
        graph_.add(saddle);
        queue(saddle);
    }

    std::vector<PeakMerge> run() {
        while (!candidates_.empty()) {
            const auto candidate = candidates_.top();
            candidates_.pop();
            if (!graph_.is_current(candidate.saddle)) continue;
            const auto merged = graph_.merge(candidate.saddle);
            note(merged, candidate);
            for (const auto& inherited : merged.inherited) queue(inherited);
        }
        return std::move(merges_);
    }

  private:
    std::int32_t cluster_of(std::int32_t peak) const {
        return survivor_[static_cast<std::size_t>(peak)];
    }

    void queue(const Saddle& saddle) {
        candidates_.push({.saddle = saddle,
                          .significance = graph_.significance(saddle),
                          .is_within = cluster_of(saddle.low) == cluster_of(saddle.high)});
    }

    void note(const PeakGraph::Merged& merged, const Candidate& candidate) {
        auto& node = node_[static_cast<std::size_t>(merged.kept)];
        const auto other = node_[static_cast<std::size_t>(merged.dropped)];
        double height = std::max({candidate.significance, height_[static_cast<std::size_t>(node)],
                                  height_[static_cast<std::size_t>(other)]});
        if (candidate.is_within)
            height = std::min(height, std::nextafter(significance_, -1.0));
        else
            height = std::max(height, significance_);
        merges_.push_back({node, other, height});
        node = static_cast<std::int32_t>(height_.size());
        height_.push_back(height);
    }

    PeakGraph graph_;
    std::span<const std::int32_t> survivor_;
    double significance_;
    std::vector<std::int32_t> node_;  // by peak: where its cluster stands in the tree
    std::vector<double> height_;      // by node
    std::priority_queue<Candidate, std::vector<Candidate>, Later> candidates_;
    std::vector<PeakMerge> merges_;
};

}  // namespace

std::vector<PeakMerge> peak_tree(std::span<const Peak> peaks, std::span<const Saddle> saddles,
                                 std::span<const std::int32_t> survivor, double significance) {
    TreeBuilder builder(peaks, survivor, significance);
    for (const auto& saddle : saddles) builder.add(saddle);
    return builder.run();
}

}  // namespace nanoatlas::cluster
