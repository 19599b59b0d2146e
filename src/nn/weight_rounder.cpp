#include "nn/weight_rounder.hpp"

#include "kernels/reference/folded_weights.hpp"

namespace nanoatlas::nn {

WeightRounder::WeightRounder(const Fusion& fusion, const Wiring& wiring,
                             const std::vector<bool>& on_integers,
                             const std::vector<ChannelFormat>& formats) {
    for (const auto& group : fusion.groups) {
        const auto& node = wiring.node(group.first);
        const bool convolves = node.op == Op::convolution || node.op == Op::linear;
        if (!convolves || !on_integers[static_cast<std::size_t>(group.first)]) continue;
        const int input = group.inputs[0];
        const auto shape = convolution_shape(group, wiring);
        layers_.push_back(std::make_unique<Layer>(
            Layer{.node = group.first,
                  .input = wiring.node(input).name,
                  .shape = shape,
                  .tensors = ConvolutionTensors(group, wiring),
                  .moments = Moments(shape, formats[static_cast<std::size_t>(input)])}));
    }
}

void WeightRounder::add(const std::string& node, std::span<const float> values) {
    for (auto& layer : layers_)
        if (layer->input == node) layer->moments.add(values);
}

std::map<int, RoundedWeights> WeightRounder::round(const float* parameters, const float* buffers,
                                                   const kernels::QuantisedBackend& backend,
                                                   const comm::Communicator& comm) {
    std::map<int, RoundedWeights> rounded;
    for (auto& layer : layers_) {
        const auto& shape = layer->shape;
        const auto [weights, bias, folding] = layer->tensors.in(parameters, buffers);
        const kernels::reference::FoldedWeights folded(shape, weights, bias,
                                                       folding.value_or(kernels::Folding{}));
        layer->moments.sum(comm);
        const auto x = layer->moments.format().format.element;
        rounded[layer->node] = round_weights(shape, folded.weights, folded.bias, layer->moments,
                                             backend.weight_bounds(shape, x));
        layer.reset();
    }
    layers_.clear();
    return rounded;
}

}  // namespace nanoatlas::nn
