#include "jobs/bare_convolutions.hpp"

#include <algorithm>

#include "base/stopwatch.hpp"
#include "nn/backend.hpp"
#include "nn/convolution_tensors.hpp"

namespace nanoatlas::jobs {

BareConvolutions::BareConvolutions(const nn::Graph& graph, nn::BackendKind kind,
                                   kernels::Precision precision, std::int64_t samples,
                                   bool training)
    : backend_(nn::make_backend(kind, precision)), training_(training) {
    for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
        const auto& node = graph.nodes()[i];
        if (node.op == nn::Op::convolution || node.op == nn::Op::linear)
            add(static_cast<int>(i), shape_of(graph, node, samples));
    }
}

void BareConvolutions::run() {
    for (auto& layer : layers_) run(layer);
    backend_->finish();
}

std::map<int, double> BareConvolutions::seconds(int runs) {
    std::map<int, double> found;
    for (auto& layer : layers_)
        for (int i = 0; i < runs; ++i) {
            const base::Stopwatch watch;
            run(layer);
            backend_->finish();
            const auto [entry, is_new] = found.emplace(layer.node, watch.seconds());
            if (!is_new) entry->second = std::min(entry->second, watch.seconds());
        }
    return found;
}

void BareConvolutions::run(Layer& layer) {
    layer.primitive->forward(in_.get(), nullptr, out_.get());
    if (!training_) return;
    if (layer.shape.data_gradient) layer.primitive->backward_data(out_.get(), in_.get());
    float* const gradient = gradient_->changed_by_backend();
    layer.primitive->backward_weights(in_.get(), out_.get(), gradient,
                                      layer.shape.bias ? gradient : nullptr);
}

kernels::ConvolutionShape BareConvolutions::shape_of(const nn::Graph& graph, const nn::Node& node,
                                                     std::int64_t samples) const {
    const auto image = [samples](const nn::Shape& shape) {
        return kernels::ImageShape{samples, shape.height, shape.width, shape.channels};
    };
    const auto& from = graph.nodes()[static_cast<std::size_t>(node.inputs[0])];
    kernels::ConvolutionShape shape{
        .input = image(from.shape), .output = image(node.shape), .window = {}};
    shape.training = training_;
    shape.data_gradient = training_ && from.op != nn::Op::input;
    if (const auto* options = std::get_if<nn::Convolution>(&node.attributes)) {
        shape.window = nn::window_of(*options);
        shape.groups = options->groups;
        shape.bias = options->bias;
    } else {
        shape.window.height = from.shape.height;
        shape.window.width = from.shape.width;
        shape.bias = true;
    }
    return shape;
}

void BareConvolutions::add(int node, const kernels::ConvolutionShape& shape) {
    const auto weights = shape.output.channels * shape.input.channels / shape.groups *
                         shape.window.height * shape.window.width;
    nn::Values values(*backend_, weights), bias(*backend_, shape.output.channels);
    std::ranges::fill(values.changed_by_host(), 0.01F);
    layers_.push_back({node, shape, backend_->convolution(shape)});
    layers_.back().primitive->set_weights(values.in_backend(),
                                          shape.bias ? bias.in_backend() : nullptr);
    grow(in_, in_bytes_, shape.input.elements());
    grow(out_, out_bytes_, shape.output.elements());
    if (!gradient_ || gradient_->size() < weights) gradient_.emplace(*backend_, weights);
}

void BareConvolutions::grow(kernels::Memory& memory, std::int64_t& bytes, std::int64_t elements) {
    if (elements * 4 <= bytes) return;
    bytes = elements * 4;
    memory = backend_->allocate(bytes);
    const std::vector<char> zeros(static_cast<std::size_t>(bytes));
    backend_->upload(zeros.data(), bytes, memory.get());
}

double operations(const nn::Graph& graph, const nn::Node& node) {
    const auto& from = graph.nodes()[static_cast<std::size_t>(node.inputs[0])];
    const auto outputs = static_cast<double>(node.shape.elements());
    if (const auto* options = std::get_if<nn::Convolution>(&node.attributes))
        return 2 * outputs * static_cast<double>(from.shape.channels) /
               static_cast<double>(options->groups) *
               static_cast<double>(options->kernel.height * options->kernel.width);
    return 2 * outputs * static_cast<double>(from.shape.elements());
}

}  // namespace nanoatlas::jobs
