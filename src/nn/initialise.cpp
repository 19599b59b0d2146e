#include "nn/initialise.hpp"

#include <algorithm>
#include <cmath>

#include "base/random.hpp"

namespace nanoatlas::nn {
namespace {

std::int64_t fan_in(const Graph& graph, const TensorSpec& spec) {
    const auto& node = graph.nodes()[static_cast<std::size_t>(spec.node)];
    const auto in = graph.shape({node.inputs[0]});
    if (const auto* convolution = std::get_if<Convolution>(&node.attributes))
        return in.channels / convolution->groups * convolution->kernel.height *
               convolution->kernel.width;
    return in.elements();
}

void draw_weights(const Graph& graph, const TensorSpec& spec, std::uint64_t seed,
                  std::vector<float>& values) {
    base::Random random(seed, base::fnv1a(spec.name));
    const auto inputs = static_cast<double>(fan_in(graph, spec));
    const bool linear = graph.nodes()[static_cast<std::size_t>(spec.node)].op == Op::linear;
    if (linear) {
        const double limit = 1 / std::sqrt(inputs);
        for (auto& value : values) value = static_cast<float>(random.uniform(-limit, limit));
    } else if (spec.kind == ParameterKind::weight) {
        const double deviation = std::sqrt(2 / inputs);
        for (auto& value : values) value = static_cast<float>(deviation * random.normal());
    }
}

}  // namespace

TensorMap initial_tensors(const Graph& graph, std::uint64_t seed) {
    TensorMap tensors;
    for (const auto& spec : graph.parameters()) {
        auto& tensor = tensors[spec.name];
        tensor.shape = spec.shape;
        tensor.values.assign(static_cast<std::size_t>(spec.elements()), 0);
        const auto& node = graph.nodes()[static_cast<std::size_t>(spec.node)];
        if (const auto* scale = std::get_if<LayerScale>(&node.attributes))
            std::ranges::fill(tensor.values, static_cast<float>(scale->initial));
        else if (spec.kind != ParameterKind::norm)
            draw_weights(graph, spec, seed, tensor.values);
        else if (spec.name.ends_with(".weight"))
            std::ranges::fill(tensor.values, 1.0F);
    }
    for (const auto& spec : graph.buffers()) {
        const float start = spec.name.ends_with(".running_var") ? 1 : 0;
        tensors[spec.name] = {spec.shape,
                              std::vector<float>(static_cast<std::size_t>(spec.elements()), start)};
    }
    return tensors;
}

}  // namespace nanoatlas::nn
