#include "nn/plan.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace nanoatlas::nn {

Plan::Plan(const Graph& graph, const Fusion& fusion, const ParameterLayout& layout,
           const PlanOptions& options, kernels::Backend& backend)
    : samples_(options.samples) {
    Wiring wiring(graph, fusion, layout, options.trained, options.samples, backend);
    const auto storage = [&](int node) { return fusion.storage[static_cast<std::size_t>(node)]; };
    wiring.value(0);
    for (const auto& group : fusion.groups) {
        stages_.push_back(make_stage(group, wiring));
        nodes_.push_back(group.first);
        finished_.push_back(layout.trained_end(wiring.node(group.first).name));
        ++wiring.time;
    }

    values_.assign(graph.nodes().size(), -1);
    for (int node = 0; node < static_cast<int>(values_.size()); ++node) {
        images_.push_back(wiring.image(node));
        if (options.kept[static_cast<std::size_t>(node)])
            values_[static_cast<std::size_t>(node)] = wiring.value(storage(node));
    }
    values_[0] = wiring.value(0);

    if (options.training) wire_backward(graph, fusion, wiring);
    arena_bytes_ = wiring.arena().layout();
    offsets_ = wiring.arena().offsets();
}

void Plan::wire_backward(const Graph& graph, const Fusion& fusion, Wiring& wiring) {
    const auto add_output = [&](Value logits, double weight) {
        const int storage = fusion.storage[static_cast<std::size_t>(logits.node)];
        if (wiring.wants_gradient(storage))
            outputs_.push_back({logits.node, weight, wiring.add_gradient(storage)});
    };
    add_output(graph.output(), 1);
    VALIDATE(!outputs_.empty(),
             "all parameters of the network are frozen (nothing is left to train); freeze fewer");
    if (graph.auxiliary()) add_output(graph.auxiliary()->logits, graph.auxiliary()->weight);
    for (std::size_t i = stages_.size(); i-- > 0;) {
        ++wiring.time;
        stages_[i]->wire_backward(wiring);
    }
}

void Plan::pack(const float* parameters, const float* buffers) {
    for (auto& stage : stages_) stage->pack(parameters, buffers);
}

void Plan::forward(const Run& run) {
    for (std::size_t i = 0; i < stages_.size(); ++i) {
        if (!runs(*stages_[i])) continue;
        const StageTimer timer(run.profile, nodes_[i], &StageSeconds::forward);
        stages_[i]->forward(run);
    }
}

void Plan::backward(const Run& run, const std::function<void(std::int64_t)>& finished) {
    std::int64_t done = 0;
    for (std::size_t i = stages_.size(); i-- > 0;) {
        if (runs(*stages_[i])) {
            const StageTimer timer(run.profile, nodes_[i], &StageSeconds::backward);
            stages_[i]->backward(run);
        }
        done = std::max(done, finished_[i]);
        finished(done);
    }
}

}  // namespace nanoatlas::nn
