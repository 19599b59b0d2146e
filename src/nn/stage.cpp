#include "nn/stage.hpp"

#include "base/check.hpp"

namespace nanoatlas::nn {
namespace {

std::size_t index(int i) {
    return static_cast<std::size_t>(i);
}

bool has_parameters(Op op) {
    return op == Op::convolution || op == Op::linear || op == Op::batch_norm ||
           op == Op::layer_norm || op == Op::layer_scale;
}

/// Each element of the output is made of the one at its place in memory.
bool is_elementwise(Op op) {
    return op == Op::relu || op == Op::relu6 || op == Op::gelu || op == Op::dropout ||
           op == Op::stochastic_depth;
}

}  // namespace

std::vector<const void*> Incoming::addresses(const Run& run) const {
    std::vector<const void*> found;
    for (const int part : parts) found.push_back(run.at(part));
    return found;
}

const void* Incoming::collect(const Run& run) const {
    if (needs_sum())
        run.backend.activation_backward(addresses(run), y < 0 ? nullptr : run.at(y), activation,
                                        elements, run.at(sum));
    return run.at(sum);
}

Wiring::Wiring(const Graph& graph, const Fusion& fusion, const ParameterLayout& layout,
               const std::vector<bool>& trained, std::int64_t samples, kernels::Backend& backend)
    : graph_(graph),
      fusion_(fusion),
      layout_(layout),
      trained_(trained),
      samples_(samples),
      backend_(backend),
      values_(graph.nodes().size(), -1),
      parts_(graph.nodes().size()),
      wants_gradient_(graph.nodes().size(), false) {
    for (const auto& group : fusion.groups) {
        bool wanted = is_trained(group.first) && has_parameters(node(group.first).op);
        for (const int input : group.inputs) wanted = wanted || wants_gradient(input);
        if (group.addend >= 0) wanted = wanted || wants_gradient(group.addend);
        wants_gradient_[index(group.output)] = wanted;
        check_layout(group);
    }
}

void Wiring::check_layout(const Group& group) const {
    const Op op = node(group.first).op;
    if (op == Op::linear || is_elementwise(op)) return;
    for (const int input : node(group.first).inputs)
        VALIDATE(
            image(input).channels == node(input).shape.channels,
            "'{}' cannot read '{}', which was flattened from an image of several pixels; let a "
            "linear layer read it",
            node(group.first).name, node(input).name);
}

kernels::ImageShape Wiring::image(int i) const {
    const Node* lies = &node(i);
    // What a flattened value is computed into element by element lies as that value does.
    while (lies->op == Op::flatten || lies->op == Op::add || is_elementwise(lies->op))
        lies = &node(lies->inputs[0]);
    return {samples_, lies->shape.height, lies->shape.width, lies->shape.channels};
}

std::int64_t Wiring::bytes(int i) const {
    const std::int64_t element = backend_.precision() == kernels::Precision::bf16 ? 2 : 4;
    return image(i).elements() * element;
}

int Wiring::value(int storage) {
    int& buffer = values_[index(storage)];
    if (buffer < 0) buffer = arena_.add(bytes(storage), time);
    arena_.use(buffer, time);
    return buffer;
}

int Wiring::temporary(int i) {
    return arena_.add(bytes(i), time);
}

int Wiring::add_gradient(int storage) {
    const int buffer = temporary(storage);
    parts_[index(storage)].push_back({buffer, false});
    return buffer;
}

void Wiring::share_gradient(int storage, int buffer, bool shared) {
    arena_.use(buffer, time);
    parts_[index(storage)].push_back({buffer, shared});
}

Incoming Wiring::incoming(int storage, kernels::Activation activation) {
    Incoming found;
    found.elements = image(storage).elements();
    found.activation = activation;
    int own = -1;
    for (const auto& part : parts_[index(storage)]) {
        arena_.use(part.buffer, time);
        found.parts.push_back(part.buffer);
        if (!part.shared) own = part.buffer;
    }
    if (found.parts.empty()) return found;
    if (activation != kernels::Activation::none) found.y = value(storage);
    if (!found.needs_sum()) {
        found.sum = found.parts[0];
        found.sum_is_shared = own < 0;
    } else {
        found.sum = own >= 0 ? own : temporary(storage);
    }
    return found;
}

void Stage::pack(const float*, const float*) {}
void Stage::wire_backward(Wiring&) {}
void Stage::backward(const Run&) {}

}  // namespace nanoatlas::nn
