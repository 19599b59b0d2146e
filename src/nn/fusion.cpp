#include "nn/fusion.hpp"

#include <algorithm>

namespace nanoatlas::nn {
namespace {

class Fuser {
  public:
    Fuser(const Graph& graph, const std::vector<bool>& trained, const std::vector<bool>& kept)
        : nodes_(graph.nodes()),
          trained_(trained),
          kept_(kept),
          needed_(graph.ancestors(graph.output())),
          taken_(nodes_.size(), false),
          consumers_(nodes_.size()) {
        const auto& auxiliary = graph.auxiliary();
        if (auxiliary && trained[index(auxiliary->logits.node)]) need(graph, auxiliary->logits);
        for (int i = 0; i < count(); ++i)
            if (kept[index(i)]) need(graph, {i});
        for (int i = 0; i < count(); ++i) {
            storage_.push_back(i);
            if (!needed_[index(i)]) continue;
            for (const int input : node(i).inputs) consumers_[index(input)].push_back(i);
        }
    }

    Fusion fuse() {
        for (int i = 1; i < count(); ++i) {
            if (taken_[index(i)] || !needed_[index(i)]) continue;
            if (is_alias(i))
                storage_[index(i)] = storage_[index(node(i).inputs[0])];
            else
                groups_.push_back(grow(i));
        }
        std::ranges::sort(groups_, {}, &Group::output);
        for (auto& group : groups_) {
            for (int& input : group.inputs) input = storage_[index(input)];
            if (group.addend >= 0) group.addend = storage_[index(group.addend)];
        }
        return {std::move(groups_), std::move(storage_)};
    }

  private:
    static std::size_t index(int node) { return static_cast<std::size_t>(node); }
    int count() const { return static_cast<int>(nodes_.size()); }
    const Node& node(int i) const { return nodes_[index(i)]; }

    void need(const Graph& graph, Value x) {
        const auto reached = graph.ancestors(x);
        for (std::size_t i = 0; i < reached.size(); ++i)
            if (reached[i]) needed_[i] = true;
    }

    /// Nodes that change no value.
    bool is_alias(int i) const {
        const auto& each = node(i);
        if (each.op == Op::dropout || each.op == Op::stochastic_depth)
            return !trained_[index(i)] || std::get<Dropout>(each.attributes).probability == 0;
        return each.op == Op::flatten ||
               (each.op == Op::adaptive_average_pool && each.shape == node(each.inputs[0]).shape);
    }

    /// The only reader of a value that nobody else asks for, if it can join its group; else -1.
    int next(int i, std::initializer_list<Op> ops) const {
        if (kept_[index(i)] || consumers_[index(i)].size() != 1) return -1;
        const int reader = consumers_[index(i)][0];
        const bool fits = std::ranges::find(ops, node(reader).op) != ops.end();
        return fits && !taken_[index(reader)] && trained_[index(i)] == trained_[index(reader)]
                   ? reader
                   : -1;
    }

    Group grow(int first) {
        Group group{.first = first, .inputs = node(first).inputs, .output = first};
        const Op op = node(first).op;
        const bool convolves = op == Op::convolution || op == Op::linear;
        const bool folds = convolves && !trained_[index(first)];
        if (folds) group.norm = join(group, {Op::batch_norm});
        if (op == Op::layer_scale) group.scale = first;
        if (op == Op::stochastic_depth) group.depth = first;
        if (folds) group.scale = join(group, {Op::layer_scale});
        if (group.scale >= 0) group.depth = join(group, {Op::stochastic_depth});
        if (op == Op::batch_norm || group.scale >= 0 || group.depth >= 0 || folds)
            join_addition(group);
        if (op == Op::relu || op == Op::relu6)
            group.activation = activation(first);
        else if (folds)
            join_activation(group, {Op::relu, Op::relu6, Op::gelu});
        else if (convolves || op == Op::batch_norm || op == Op::add)
            join_activation(group, {Op::relu, Op::relu6});
        return group;
    }

    /// The node that joins the group; -1 if none does.
    int join(Group& group, std::initializer_list<Op> ops) {
        const int reader = next(group.output, ops);
        if (reader >= 0) take(group, reader);
        return reader;
    }

    void join_addition(Group& group) {
        const int term = group.output, sum = join(group, {Op::add});
        if (sum < 0) return;
        const auto& terms = node(sum).inputs;
        group.addend = terms[0] == term ? terms[1] : terms[0];
    }

    void join_activation(Group& group, std::initializer_list<Op> ops) {
        const int reader = join(group, ops);
        if (reader >= 0) group.activation = activation(reader);
    }

    void take(Group& group, int i) {
        taken_[index(i)] = true;
        group.output = i;
    }

    kernels::Activation activation(int i) const {
        if (node(i).op == Op::gelu) return kernels::Activation::gelu;
        return node(i).op == Op::relu ? kernels::Activation::relu : kernels::Activation::relu6;
    }

    const std::vector<Node>& nodes_;
    const std::vector<bool>& trained_;
    const std::vector<bool>& kept_;
    std::vector<bool> needed_, taken_;
    std::vector<std::vector<int>> consumers_;
    std::vector<int> storage_;
    std::vector<Group> groups_;
};

}  // namespace

Fusion fuse(const Graph& graph, const std::vector<bool>& trained, const std::vector<bool>& kept) {
    return Fuser(graph, trained, kept).fuse();
}

}  // namespace nanoatlas::nn
