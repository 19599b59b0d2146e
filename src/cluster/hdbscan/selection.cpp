#include "cluster/hdbscan/selection.hpp"

#include <algorithm>

namespace nanoatlas::cluster {
namespace {

/// The clusters alone; by place, the root first, parents before their children.
struct Hierarchy {
    std::vector<std::size_t> parent;
    std::vector<double> birth;  // lambda; the root: 0
    std::vector<std::int64_t> size;
    std::vector<std::uint8_t> is_leaf;

    explicit Hierarchy(const CondensedTree& tree)
        : parent(static_cast<std::size_t>(tree.clusters)),
          birth(parent.size()),
          size(parent.size()),
          is_leaf(parent.size(), 1) {
        for (std::size_t line = 0; line < tree.lines(); ++line) {
            if (tree.is_row(line)) continue;
            const auto cluster = tree.place(tree.child[line]);
            parent[cluster] = tree.place(tree.parent[line]);
            birth[cluster] = tree.lambda[line];
            size[cluster] = tree.size[line];
            is_leaf[parent[cluster]] = 0;
            if (parent[cluster] == 0) size[0] += size[cluster];  // as hdbscan counts it
        }
    }
    std::size_t count() const { return parent.size(); }
};

using Chosen = std::vector<std::uint8_t>;  // by place

void drop_all_below_chosen(const Hierarchy& clusters, Chosen& chosen) {
    Chosen covered(clusters.count(), 0);
    for (std::size_t c = 1; c < clusters.count(); ++c) {
        const auto parent = clusters.parent[c];
        covered[c] = covered[parent] | chosen[parent];
        if (covered[c] != 0) chosen[c] = 0;
    }
}

// The stability of a cluster that gives way becomes the sum of those below.
Chosen excess_of_mass(const Hierarchy& clusters, std::vector<double>& stability,
                      const SelectionOptions& options) {
    Chosen chosen(clusters.count(), 1);
    std::vector<double> below(clusters.count(), 0);
    for (std::size_t c = clusters.count(); c-- > (options.allow_single_cluster ? 0U : 1U);) {
        const bool too_large =
            options.max_cluster_size > 0 && clusters.size[c] > options.max_cluster_size;
        if (below[c] > stability[c] || too_large) {
            chosen[c] = 0;
            stability[c] = below[c];
        }
        if (c > 0) below[clusters.parent[c]] += stability[c];
    }
    if (!options.allow_single_cluster) chosen[0] = 0;
    drop_all_below_chosen(clusters, chosen);
    return chosen;
}

Chosen leaves(const Hierarchy& clusters) {
    auto chosen = clusters.is_leaf;
    chosen[0] = 0;
    return chosen;
}

// A chosen cluster born at less than epsilon gives way to the nearest above that was born at more,
// or is the root's child.
Chosen merge_by_epsilon(const Hierarchy& clusters, const Chosen& chosen,
                        const SelectionOptions& options) {
    Chosen merged(clusters.count(), 0);
    for (std::size_t c = 1; c < clusters.count(); ++c) {
        if (chosen[c] == 0) continue;
        auto top = c;
        if (1 / clusters.birth[c] < options.epsilon) {
            do {
                const auto parent = clusters.parent[top];
                if (parent == 0 && !options.allow_single_cluster) break;
                top = parent;
            } while (top != 0 && 1 / clusters.birth[top] <= options.epsilon);
        }
        merged[top] = 1;
    }
    drop_all_below_chosen(clusters, merged);
    return merged;
}

}  // namespace

std::vector<double> stabilities(const CondensedTree& tree) {
    const auto birth = Hierarchy(tree).birth;
    std::vector<double> stability(birth.size(), 0);
    for (std::size_t line = 0; line < tree.lines(); ++line) {
        const auto cluster = tree.place(tree.parent[line]);
        stability[cluster] +=
            (tree.lambda[line] - birth[cluster]) * static_cast<double>(tree.size[line]);
    }
    return stability;
}

SelectedClusters select_clusters(const CondensedTree& tree, const SelectionOptions& options) {
    const Hierarchy clusters(tree);
    auto stability = stabilities(tree);
    auto chosen = options.method == Selection::leaf ? leaves(clusters)
                                                    : excess_of_mass(clusters, stability, options);
    if (options.epsilon > 0 && chosen[0] == 0) chosen = merge_by_epsilon(clusters, chosen, options);
    SelectedClusters selected;
    for (std::size_t c = 0; c < chosen.size(); ++c) {
        if (chosen[c] == 0) continue;
        selected.number.push_back(tree.rows + static_cast<std::int64_t>(c));
        selected.stability.push_back(stability[c]);
    }
    return selected;
}

}  // namespace nanoatlas::cluster
