#include "cluster/saddles.hpp"

#include <queue>
#include <tuple>

#include "cluster/peak_graph.hpp"

namespace nanoatlas::cluster {
namespace {

struct Lower {
    bool operator()(const Saddle& a, const Saddle& b) const {
        return std::tuple(a.density, b.low, b.high) < std::tuple(b.density, a.low, a.high);
    }
};

}  // namespace

MergedPeaks merge_peaks(std::span<const Peak> peaks, std::span<const Saddle> saddles,
                        double significance) {
    PeakGraph graph(peaks);
    std::priority_queue<Saddle, std::vector<Saddle>, Lower> insignificant;
    const auto queue = [&](const Saddle& saddle) {
        if (graph.significance(saddle) < significance) insignificant.push(saddle);
    };
    for (const auto& saddle : saddles) {
        graph.add(saddle);
        queue(saddle);
    }
    while (!insignificant.empty()) {
        const Saddle saddle = insignificant.top();
        insignificant.pop();
        if (!graph.is_current(saddle)) continue;
        for (const auto& inherited : graph.merge(saddle).inherited) queue(inherited);
    }
    return {graph.survivors(), graph.saddles()};
}

}  // namespace nanoatlas::cluster
