// The condensed tree of HDBSCAN: how many rows each cluster holds at each density.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cluster/hdbscan/condensed_tree.hpp"

namespace nanoatlas::atlas {

struct Atlas;

/// A cluster of the tree as a bar that hangs down: a share of the width, and its rows over lambda.
struct TreeBar {
    int parent = -1;             ///< place of the cluster that it parts from; the root: -1
    int chosen = -1;             ///< place in `selected` of itself or of one it lies in; or -1
    double left = 0, right = 1;  ///< room across, within that of the parent
    double birth = 0;            ///< lambda at which it begins; the root: 0
    std::int64_t rows = 0;       ///< then
    std::vector<std::pair<double, std::int64_t>> left_at;  ///< lambda, rows below it; ascending
};

/// One for each cluster, by place: a parent comes before its parts. Two parts share the room of
/// their parent by their rows, so no two bars of a width by rows overlap.
std::vector<TreeBar> tree_bars(const cluster::CondensedTree& tree,
                               std::span<const std::int64_t> selected);

/// The bars as a picture, lambda downwards (by powers of ten where densities differ much): the
/// clusters of the atlas outlined, in their colours and with their numbers; others grey.
/// root: leads from the picture to the root of the atlas
std::string condensed_chart(const Atlas& atlas, const std::string& root);

}  // namespace nanoatlas::atlas
