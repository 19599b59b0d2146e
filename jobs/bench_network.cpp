// Workloads on networks: training steps and feature extraction, on images of noise.
#include <memory>
#include <span>

#include "base/check.hpp"
#include "base/random.hpp"
#include "comm/distribution.hpp"
#include "jobs/bench_workloads.hpp"
#include "nn/backend.hpp"
#include "nn/initialise.hpp"
#include "nn/network.hpp"
#include "nn/train/optimizer.hpp"
#include "nn/zoo/zoo.hpp"

namespace nanoatlas::jobs {
namespace {

constexpr std::int64_t classes = 1000, channels = 3;  // as the peers' benchmarks

nn::Graph graph_for(const BenchOptions& options) {
    return nn::zoo::make(options.arch,
                         {.classes = classes, .channels = channels, .size = options.size});
}

/// This rank's share of the global batch.
struct Batch {
    std::vector<float> images;
    std::vector<std::int32_t> labels;
};

Batch draw_batch(const BenchOptions& options, const comm::RowBlock& share) {
    Batch batch;
    batch.images.resize(
        static_cast<std::size_t>(share.count * channels * options.size * options.size));
    base::Random random(options.seed, share.first);
    for (auto& value : batch.images) value = static_cast<float>(random.uniform(-1.7, 1.7));
    for (std::int64_t i = share.first; i < share.end(); ++i)
        batch.labels.push_back(static_cast<std::int32_t>((2 * i + 1) % classes));
    return batch;
}

nn::Network make_network(const nn::Graph& graph, const BenchOptions& options,
                         const comm::RowBlock& share, bool training,
                         const comm::Communicator& world) {
    nn::Network network(
        graph,
        {.batch = share.count,
         .precision =
             options.precision == "int8" ? nn::Precision::f32 : nn::precision_of(options.precision),
         .training = training},
        world);
    network.load(nn::initial_tensors(graph, options.seed));
    return network;
}

/// A network's convolutions and linear layers, each with memory of its own size, nothing else.
class BareConvolutions {
  public:
    BareConvolutions(const nn::Graph& graph, nn::Precision precision, std::int64_t samples,
                     bool training)
        : backend_(nn::make_backend(nn::BackendKind::onednn, precision)), training_(training) {
        for (const auto& node : graph.nodes())
            if (node.op == nn::Op::convolution || node.op == nn::Op::linear)
                add(shape_of(graph, node, samples));
    }

    void run() {
        for (auto& layer : layers_) {
            layer.primitive->forward(in_.get(), nullptr, out_.get());
            if (!training_) continue;
            if (layer.shape.data_gradient) layer.primitive->backward_data(out_.get(), in_.get());
            layer.primitive->backward_weights(in_.get(), out_.get(), gradient_.data(),
                                              layer.shape.bias ? gradient_.data() : nullptr);
        }
    }

  private:
    struct Layer {
        kernels::ConvolutionShape shape;
        std::unique_ptr<kernels::Convolution> primitive;
    };

    kernels::ConvolutionShape shape_of(const nn::Graph& graph, const nn::Node& node,
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
            const auto& padding = options->padding;
            shape.window = {options->kernel.height, options->kernel.width, options->stride.height,
                            options->stride.width,  padding.top,           padding.left,
                            padding.bottom,         padding.right,         options->dilation.height,
                            options->dilation.width};
            shape.groups = options->groups;
            shape.bias = options->bias;
        } else {
            shape.window.height = from.shape.height;
            shape.window.width = from.shape.width;
            shape.bias = true;
        }
        return shape;
    }

    void add(const kernels::ConvolutionShape& shape) {
        const auto weights =
            static_cast<std::size_t>(shape.output.channels * shape.input.channels / shape.groups *
                                     shape.window.height * shape.window.width);
        const std::vector<float> values(weights, 0.01F);
        const std::vector<float> bias(static_cast<std::size_t>(shape.output.channels));
        layers_.push_back({shape, backend_->convolution(shape)});
        layers_.back().primitive->set_weights(values.data(), shape.bias ? bias.data() : nullptr);
        grow(in_, in_bytes_, shape.input.elements());
        grow(out_, out_bytes_, shape.output.elements());
        gradient_.resize(std::max(gradient_.size(), weights));
    }

    void grow(kernels::Memory& memory, std::int64_t& bytes, std::int64_t elements) {
        if (elements * 4 <= bytes) return;
        bytes = elements * 4;
        memory = backend_->allocate(bytes);
        std::fill_n(static_cast<char*>(memory.get()), bytes, '\0');
    }

    std::unique_ptr<kernels::Backend> backend_;
    bool training_;
    std::vector<Layer> layers_;
    kernels::Memory in_, out_;
    std::int64_t in_bytes_ = 0, out_bytes_ = 0;
    std::vector<float> gradient_;
};

Workload network_workload(const BenchOptions& options, const nn::Graph& graph,
                          nn::Precision precision, std::int64_t samples, bool training) {
    VALIDATE(options.batch > 0 && options.steps > 0, "--batch and --steps must be above 0");
    Workload workload;
    workload.amount = static_cast<double>(options.batch * options.steps);
    workload.unit = "img/s";
    workload.sizes = {{"parameters", graph.parameter_count()}};
    if (samples > 0) {
        const auto bare = std::make_shared<BareConvolutions>(graph, precision, samples, training);
        workload.bare = [bare, steps = options.steps] {
            for (std::int64_t i = 0; i < steps; ++i) bare->run();
        };
    }
    return workload;
}

}  // namespace

Workload train_workload(const BenchOptions& options, const comm::Communicator& world) {
    const auto graph = graph_for(options);
    const auto share = comm::row_block(options.batch, world);
    const auto network =
        std::make_shared<nn::Network>(make_network(graph, options, share, true, world));
    const auto batch = std::make_shared<const Batch>(draw_batch(options, share));
    const auto size = network->parameters().size();
    const auto optimizer = std::make_shared<nn::Optimizer>(
        nn::OptimizerSettings{}, std::vector<nn::ParameterSlice>{{0, size, 1e-4}}, size);
    auto workload = network_workload(options, graph, network->precision(), share.count, true);
    const auto step = [=](std::int64_t i) {
        network->train_step(batch->images, batch->labels, {}, {.step = i});
        optimizer->step(network->parameters(), network->gradients(), 1e-3);
    };
    step(0);  // makes what is made once
    workload.run = [=, steps = options.steps] {
        for (std::int64_t i = 0; i < steps; ++i) step(i);
    };
    return workload;
}

Workload extract_workload(const BenchOptions& options, const comm::Communicator& world) {
    const auto graph = graph_for(options);
    const auto share = comm::row_block(options.batch, world);
    const auto network =
        std::make_shared<nn::Network>(make_network(graph, options, share, false, world));
    const auto batch = std::make_shared<const Batch>(draw_batch(options, share));
    const auto features = graph.node(graph.features()).name;
    const bool on_integers = options.precision == "int8";
    if (on_integers) {
        nn::RangeFinder finder;
        finder.add(*network, batch->images);
        network->quantise(finder.ranges(*network, world));
    }
    // The bare convolutions are those of f32 and bf16.
    auto workload = network_workload(options, graph, network->precision(),
                                     on_integers ? 0 : share.count, false);
    const auto step = [=] {
        network->forward(batch->images);
        network->value(features);
    };
    step();  // makes what is made once
    workload.run = [=, steps = options.steps] {
        for (std::int64_t i = 0; i < steps; ++i) step();
    };
    return workload;
}

}  // namespace nanoatlas::jobs
