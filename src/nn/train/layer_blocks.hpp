// A network's blocks of layers in the order in which it computes: what layer-wise learning rates
// and gradual unfreezing count by.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "nn/graph.hpp"

namespace nanoatlas::nn {

struct LayerBlock {
    std::string name;   ///< "layer2", "features.3", "_blocks.7"
    std::string input;  ///< the node that all before it passes through: frozen up to there, this
                        ///< block and those behind it are trained
    int first = 0;      ///< its first node with parameters
};

/// From the input to the classifier. Parameters belong together if their names agree up to the
/// first part that holds a digit ("layer2.1.conv1.weight" and "layer2.0.bn2.bias"); norms by
/// themselves belong to what is before them, as does a block that cannot be cut off by one node.
/// An auxiliary head is no block.
std::vector<LayerBlock> layer_blocks(const Graph& graph);

/// By name of the parameter: how many blocks are behind its own; 0 for the classifier and for an
/// auxiliary head.
std::map<std::string, std::int64_t> blocks_behind(const Graph& graph);

/// A stretch of epochs, and the node up to which all is frozen in it ("": nothing).
struct FreezingPhase {
    std::int64_t first_epoch = 0;
    std::string frozen_to;
};

/// Gradual unfreezing (Howard, Ruder, arXiv:1801.06146): the last block alone, and every so many
/// epochs one more. every > 0.
std::vector<FreezingPhase> unfreezing_phases(const Graph& graph, std::int64_t every);

}  // namespace nanoatlas::nn
