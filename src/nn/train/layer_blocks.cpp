#include "nn/train/layer_blocks.hpp"

#include <algorithm>
#include <cctype>

namespace nanoatlas::nn {
namespace {

/// "layer2" of "layer2.1.conv1", "features.3" of "features.3.squeeze", "fc" of "fc".
std::string block_name(const std::string& node) {
    std::size_t begin = 0;
    while (begin < node.size()) {
        const auto end = std::min(node.find('.', begin), node.size());
        const bool has_digit = std::any_of(node.begin() + static_cast<long>(begin),
                                           node.begin() + static_cast<long>(end),
                                           [](unsigned char c) { return std::isdigit(c) != 0; });
        if (has_digit) return node.substr(0, end);
        begin = end + 1;
    }
    return node.substr(0, node.find('.'));
}

/// Nothing that the output needs and that comes after the node reads past it.
bool cuts(const Graph& graph, const std::vector<bool>& needed, int node) {
    for (int i = node + 1; i < static_cast<int>(graph.nodes().size()); ++i)
        if (needed[static_cast<std::size_t>(i)])
            for (const int source : graph.node({i}).inputs)
                if (source < node) return false;
    return true;
}

}  // namespace

std::vector<LayerBlock> layer_blocks(const Graph& graph) {
    const auto needed = graph.ancestors(graph.output());
    std::vector<LayerBlock> blocks;
    std::vector<bool> is_norm;  // by block: it holds nothing else
    for (const auto& parameter : graph.parameters()) {
        if (!needed[static_cast<std::size_t>(parameter.node)]) continue;
        const auto& node = graph.node({parameter.node});
        const auto name = block_name(node.name);
        const int input = node.inputs.at(0);
        if (blocks.empty() || (name != blocks.back().name && cuts(graph, needed, input))) {
            blocks.push_back({.name = name,
                              .input = blocks.empty() ? "" : graph.node({input}).name,
                              .first = parameter.node});
            is_norm.push_back(true);
        }
        if (parameter.kind != ParameterKind::norm) is_norm.back() = false;
    }
    for (std::size_t i = blocks.size(); i-- > 1;)
        if (is_norm[i]) blocks.erase(blocks.begin() + static_cast<long>(i));
    return blocks;
}

std::map<std::string, std::int64_t> blocks_behind(const Graph& graph) {
    const auto blocks = layer_blocks(graph);
    const auto needed = graph.ancestors(graph.output());
    std::map<std::string, std::int64_t> behind;
    for (const auto& parameter : graph.parameters()) {
        const auto later = std::count_if(blocks.begin(), blocks.end(), [&](const auto& block) {
            return block.first > parameter.node;
        });
        behind[parameter.name] = needed[static_cast<std::size_t>(parameter.node)] ? later : 0;
    }
    return behind;
}

std::vector<FreezingPhase> unfreezing_phases(const Graph& graph, std::int64_t every) {
    auto blocks = layer_blocks(graph);
    std::reverse(blocks.begin(), blocks.end());
    std::vector<FreezingPhase> phases;
    phases.reserve(blocks.size());
    for (const auto& block : blocks)
        phases.push_back({.first_epoch = every * static_cast<std::int64_t>(phases.size()),
                          .frozen_to = block.input});
    return phases;
}

}  // namespace nanoatlas::nn
