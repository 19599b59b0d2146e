// Which nodes of a graph become one stage of a plan.
#pragma once

#include <vector>

#include "kernels/cnn.hpp"
#include "nn/graph.hpp"

namespace nanoatlas::nn {

/// Nodes that are computed at once:
///     convolution or linear + activation; where nothing is trained also
///     convolution or linear + batch norm + layer scale + add + activation or GELU
///     batch norm + add + activation
///     layer scale + stochastic depth + add
///     add + activation
/// or one node of another kind; each but the first may be missing.
struct Group {
    int first;                ///< the node that gives the group its kind
    int norm = -1;            ///< folded into the convolution
    int scale = -1;           ///< a layer scale, folded or by itself
    int depth = -1;           ///< stochastic depth
    std::vector<int> inputs;  ///< nodes whose values are read, by storage
    int addend = -1;          ///< node whose value is added, by storage
    kernels::Activation activation = kernels::Activation::none;
    int output;  ///< the node whose value it puts out
};

struct Fusion {
    std::vector<Group> groups;  ///< each after those that it reads from
    std::vector<int> storage;   ///< by node: the node whose memory holds its value
};

/// trained  by node: uses the batch's statistics and dropout, and gets gradients
/// kept     by node: its value is asked for, so it is not fused away
/// Nodes that neither these, the output nor a trained auxiliary output need are in no group.
Fusion fuse(const Graph& graph, const std::vector<bool>& trained, const std::vector<bool>& kept);

}  // namespace nanoatlas::nn
