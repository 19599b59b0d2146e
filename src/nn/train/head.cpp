#include "nn/train/head.hpp"

#include <map>

#include "base/progress.hpp"
#include "comm/distribution.hpp"

namespace nanoatlas::nn {
namespace {

/// The same layer behind x; nothing for layers that a head does not have.
std::optional<Value> copy_layer(Graph& head, const Node& node, Value x) {
    switch (node.op) {
        case Op::linear: {
            const auto& linear = std::get<Linear>(node.attributes);
            return head.linear(x, node.name, linear.outputs, linear.bias);
        }
        case Op::dropout:
            return head.dropout(x, std::get<Dropout>(node.attributes).probability, node.name);
        case Op::relu:
            return head.relu(x, node.name);
        case Op::relu6:
            return head.relu6(x, node.name);
        case Op::flatten:
            return head.flatten(x, node.name);
        default:
            return std::nullopt;
    }
}

}  // namespace

std::optional<Graph> head_of(const Graph& graph) {
    Graph head(graph.shape(graph.features()));
    std::map<int, Value> copies = {{graph.features().node, head.input()}};
    const auto needed = graph.ancestors(graph.output());
    for (int i = graph.features().node + 1; i <= graph.output().node; ++i) {
        if (!needed[static_cast<std::size_t>(i)]) continue;
        const auto& node = graph.node({i});
        const auto source = copies.find(node.inputs.at(0));
        if (source == copies.end() || node.inputs.size() != 1) return std::nullopt;
        const auto copy = copy_layer(head, node, source->second);
        if (!copy) return std::nullopt;
        copies[i] = *copy;
    }
    const auto output = copies.find(graph.output().node);
    if (output == copies.end() || output->second.node == head.input().node) return std::nullopt;
    head.set_output(output->second);
    return head;
}

FeatureInputs compute_features(const Graph& graph, const TensorMap& tensors,
                               const NetworkOptions& options, const Inputs& inputs,
                               std::span<const std::int64_t> rows, std::int64_t all_rows,
                               const comm::Communicator& comm) {
    Network network(graph, options, comm);
    network.load(tensors);
    const auto block = comm::row_block(static_cast<std::int64_t>(rows.size()), comm);
    const auto mine =
        rows.subspan(static_cast<std::size_t>(block.first), static_cast<std::size_t>(block.count));
    const auto& name = graph.node(graph.features()).name;
    base::Progress progress("train/features", block.count, "images");
    std::vector<float> values;
    forward_rows(network, options.batch, inputs, mine, [&](std::int64_t, std::span<const float>) {
        const auto batch = network.value(name);
        values.insert(values.end(), batch.begin(), batch.end());
        progress.advance(static_cast<std::int64_t>(batch.size()) /
                         graph.shape(graph.features()).elements());
    });
    return {comm.all_gather(values), rows, all_rows};
}

}  // namespace nanoatlas::nn
