// Which clusters of a condensed tree are the answer.
#pragma once

#include <cstdint>
#include <vector>

#include "cluster/hdbscan/condensed_tree.hpp"

namespace nanoatlas::cluster {

enum class Selection {
    excess_of_mass,  ///< the clusters of greatest stability, none within another
    leaf             ///< those that split no further
};

struct SelectionOptions {
    Selection method = Selection::excess_of_mass;
    double epsilon = 0;  ///< clusters that split at less than this distance are kept together
    bool allow_single_cluster = false;  ///< the root may be the answer
    std::int64_t max_cluster_size = 0;  ///< excess of mass: none larger is chosen; 0: no limit
};

/// Of each cluster, by place, the sum over its rows of lambda less lambda at its birth.
std::vector<double> stabilities(const CondensedTree& tree);

struct SelectedClusters {
    std::vector<std::int64_t> number;  ///< in the condensed tree, ascending
    /// As excess of mass leaves it: where the clusters within had more, but epsilon keeps them
    /// together, their sum.
    std::vector<double> stability;
    std::size_t count() const { return number.size(); }
};

/// By the rules of the hdbscan package. Epsilon: Malzer, Baum, IEEE MFI 2020, 223.
SelectedClusters select_clusters(const CondensedTree& tree, const SelectionOptions& options);

}  // namespace nanoatlas::cluster
