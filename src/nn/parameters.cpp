#include "nn/parameters.hpp"

#include <algorithm>

namespace nanoatlas::nn {

ParameterLayout::ParameterLayout(const Graph& graph, const std::vector<Group>& groups,
                                 const std::vector<bool>& trained) {
    auto specs = graph.parameters();
    std::vector<int> finished(graph.nodes().size(), 0);  // by node: its group's place backwards
    for (std::size_t i = 0; i < groups.size(); ++i) {
        const int place = static_cast<int>(groups.size() - i);
        finished[static_cast<std::size_t>(groups[i].first)] = place;
        if (groups[i].norm >= 0) finished[static_cast<std::size_t>(groups[i].norm)] = place;
    }
    std::ranges::stable_sort(specs, {}, [&](const TensorSpec& spec) {
        const auto node = static_cast<std::size_t>(spec.node);
        return std::pair(!trained[node], finished[node]);
    });

    for (const auto& spec : specs) {
        const auto node = static_cast<std::size_t>(spec.node);
        slots_.push_back(
            {spec.name, spec.shape, spec.kind, size_, spec.elements(), !trained[node]});
        offsets_[spec.name] = size_;
        size_ += spec.elements();
        if (!trained[node]) continue;
        trained_size_ = size_;
        trained_end_[graph.nodes()[node].name] = size_;
    }
    for (const auto& spec : graph.buffers()) {
        buffer_slots_.push_back(
            {spec.name, spec.shape, spec.kind, buffer_size_, spec.elements(), false});
        offsets_[spec.name] = buffer_size_;
        buffer_size_ += spec.elements();
    }
}

std::int64_t ParameterLayout::trained_end(const std::string& node) const {
    const auto found = trained_end_.find(node);
    return found == trained_end_.end() ? 0 : found->second;
}

}  // namespace nanoatlas::nn
