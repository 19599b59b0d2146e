// The binary tree of a spanning tree: its edges as mergers, the least first.
#pragma once

#include <cstdint>
#include <vector>

#include "cluster/spanning_tree.hpp"

namespace nanoatlas::cluster {

/// Merger m of N rows makes node N + m of two nodes; rows are nodes 0 to N - 1.
struct Merger {
    std::int64_t left, right;
    double distance;
    std::int64_t size;  ///< rows below
};

/// The left node of a merger is the one whose end of the edge is nearer to row 0 along the tree:
/// so the tree that Prim's algorithm grows from row 0 gives the same sides.
std::vector<Merger> single_linkage(const SpanningTree& tree);

}  // namespace nanoatlas::cluster
