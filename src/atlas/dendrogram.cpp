#include "atlas/dendrogram.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

namespace nanoatlas::atlas {
namespace {

std::size_t cell(const Topography& topography, int a, int b) {
    return static_cast<std::size_t>(a) * topography.peak.size() + static_cast<std::size_t>(b);
}

struct Saddle {
    double height;
    int a, b;
};

std::vector<Saddle> saddles_descending(const Topography& topography) {
    std::vector<Saddle> saddles;
    for (int a = 0; a < topography.clusters(); ++a)
        for (int b = a + 1; b < topography.clusters(); ++b)
            if (topography.has_saddle(a, b))
                saddles.push_back({topography.saddle_between(a, b), a, b});
    std::sort(saddles.begin(), saddles.end(), [](const Saddle& p, const Saddle& q) {
        return std::tuple(-p.height, p.a, p.b) < std::tuple(-q.height, q.a, q.b);
    });
    return saddles;
}

/// Sets of clusters; each knows its node in the tree and its highest peak.
class Forest {
  public:
    explicit Forest(const std::vector<double>& peak) : peak_(peak), parent_(peak.size()) {
        std::iota(parent_.begin(), parent_.end(), 0);
        node_ = parent_;
    }
    int find(int cluster) {
        int& up = parent_[static_cast<std::size_t>(cluster)];
        return up == cluster ? cluster : up = find(up);
    }
    int node(int set) const { return node_[static_cast<std::size_t>(set)]; }
    bool is_higher(int a, int b) const {
        const double pa = peak_[static_cast<std::size_t>(a)],
                     pb = peak_[static_cast<std::size_t>(b)];
        return pa > pb || (pa == pb && a < b);
    }
    /// The set with the higher peak gives the name, so that a set is called after its peak.
    void join(int higher, int lower, int node) {
        parent_[static_cast<std::size_t>(lower)] = higher;
        node_[static_cast<std::size_t>(higher)] = node;
    }

  private:
    const std::vector<double>& peak_;
    std::vector<int> parent_, node_;
};

}  // namespace

bool Topography::has_saddle(int a, int b) const {
    if (saddle.empty() || a == b) return false;
    const double error = saddle_error[cell(*this, a, b)];
    return std::isfinite(saddle[cell(*this, a, b)]) && std::isfinite(error) && error > 0;
}

double Topography::saddle_between(int a, int b) const {
    return saddle[cell(*this, a, b)];
}

Dendrogram dendrogram(const Topography& topography) {
    const int clusters = topography.clusters();
    Dendrogram tree;
    Forest forest(topography.peak);
    for (const auto& saddle : saddles_descending(topography)) {
        int a = forest.find(saddle.a), b = forest.find(saddle.b);
        if (a == b) continue;
        if (forest.is_higher(b, a)) std::swap(a, b);
        tree.merges.push_back({forest.node(a), forest.node(b), saddle.height});
        forest.join(a, b, clusters + static_cast<int>(tree.merges.size()) - 1);
    }
    std::vector<int> tops;
    for (int c = 0; c < clusters; ++c)
        if (forest.find(c) == c) tops.push_back(c);
    std::sort(tops.begin(), tops.end(), [&](int a, int b) { return forest.is_higher(a, b); });
    for (const int top : tops) tree.roots.push_back(forest.node(top));

    std::vector<int> open(tree.roots.rbegin(), tree.roots.rend());
    while (!open.empty()) {
        const int node = open.back();
        open.pop_back();
        if (node < clusters) {
            tree.order.push_back(node);
        } else {
            const auto& merge = tree.merges[static_cast<std::size_t>(node - clusters)];
            open.push_back(merge.b);
            open.push_back(merge.a);
        }
    }
    return tree;
}

}  // namespace nanoatlas::atlas
