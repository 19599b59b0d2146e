// What the chosen clusters mean for each row.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cluster/hdbscan/selection.hpp"

namespace nanoatlas::cluster {

/// The greatest lambda at which something leaves each cluster. [clusters] by place
std::vector<double> deaths(const CondensedTree& tree);

/// The label of each cluster: that of the selected one which it is or lies in, or -1. [clusters]
std::vector<std::int32_t> labels_of_clusters(const CondensedTree& tree,
                                             const SelectedClusters& selected);

/// The cluster of each row, numbered in the order of `selected`, or -1. Where the root alone is
/// selected, rows that leave it before it splits, or at a distance above epsilon, have -1. [N]
std::vector<std::int32_t> labels(const CondensedTree& tree, const SelectedClusters& selected,
                                 const SelectionOptions& options);

/// How deep in its cluster each row lies: lambda at which it leaves it over the greatest at which
/// one does; noise 0. [N]
std::vector<double> probabilities(const CondensedTree& tree, const SelectedClusters& selected,
                                  std::span<const std::int32_t> label);

/// GLOSH of each row: 1 - lambda at which it falls out over the greatest in what is left of its
/// cluster then. Where rows coincide, lambda is infinite: they have 0, all others 1. [N]
/// Campello, Moulavi, Zimek, Sander, ACM Trans. Knowledge Discovery from Data 10 (2015) 5, 5.
std::vector<double> outlier_scores(const CondensedTree& tree);

/// Stability of each selected cluster over the most that one of its size could have: 1 where rows
/// coincide. [selected]
std::vector<double> persistences(const CondensedTree& tree, const SelectedClusters& selected,
                                 std::span<const std::int32_t> label);

}  // namespace nanoatlas::cluster
