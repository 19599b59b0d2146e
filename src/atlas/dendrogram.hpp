// How clusters hang together: the tree in which they join at their highest saddles.
#pragma once

#include <span>
#include <vector>

namespace nanoatlas::atlas {

/// Log densities of K peaks and of the saddles between them.
struct Topography {
    std::vector<double> peak;          ///< [K]
    std::vector<double> saddle;        ///< [K, K], symmetric
    std::vector<double> saddle_error;  ///< [K, K]; not positive or not finite: there is no border
    int clusters() const { return static_cast<int>(peak.size()); }
    bool has_saddle(int a, int b) const;
    double saddle_between(int a, int b) const;
};

/// Nodes 0..K-1 are the clusters, node K+m is merge m.
struct Merge {
    int a = 0, b = 0;   ///< nodes; a holds the higher peak
    double height = 0;  ///< log density of the saddle
};

struct Dendrogram {
    std::vector<Merge> merges;  ///< by descending height
    std::vector<int> roots;     ///< nodes that no border connects, the highest peak first
    std::vector<int> order;     ///< clusters from top to bottom, so that no lines cross
};

/// Single linkage by saddle density (d'Errico, Facco, Laio, Rodriguez, Information Sciences 560
/// (2021) 476, the topography of Advanced Density Peaks). Of equal saddles the lower pair first.
Dendrogram dendrogram(const Topography& topography);

}  // namespace nanoatlas::atlas
