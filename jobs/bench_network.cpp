// Workloads on networks: training steps and feature extraction, on images of noise.
#include <memory>
#include <optional>
#include <span>

#include "base/check.hpp"
#include "base/random.hpp"
#include "comm/distribution.hpp"
#include "jobs/bench_layers.hpp"
#include "jobs/bench_workloads.hpp"
#include "nn/initialise.hpp"
#include "nn/network.hpp"
#include "nn/train/augmentation.hpp"
#include "nn/train/inputs.hpp"
#include "nn/train/optimizer.hpp"
#include "nn/zoo/zoo.hpp"

namespace nanoatlas::jobs {
namespace {

constexpr std::int64_t classes = 1000, channels = 3;  // as the peers' benchmarks

nn::Graph graph_for(const BenchOptions& options) {
    return nn::zoo::make(options.arch,
                         {.classes = classes, .channels = channels, .size = options.size});
}

/// This rank's share of the global batch: for back ends that make input of pictures, and for those
/// that are given images.
struct Batch {
    std::vector<float> images;
    std::vector<std::uint8_t> pixels;
    nn::Pictures pictures;
    std::vector<std::int32_t> labels;
};

Batch draw_batch(const BenchOptions& options, const comm::RowBlock& share) {
    Batch batch;
    batch.images.resize(
        static_cast<std::size_t>(share.count * channels * options.size * options.size));
    base::Random random(options.seed, share.first);
    for (auto& value : batch.images) value = static_cast<float>(random.uniform(-1.7, 1.7));
    const auto side = static_cast<int>(options.size);
    const auto picture = static_cast<std::size_t>(options.size * options.size);
    batch.pixels.resize(static_cast<std::size_t>(share.count) * picture);
    for (auto& pixel : batch.pixels) pixel = static_cast<std::uint8_t>(random.below(256));
    batch.pictures.views.assign(static_cast<std::size_t>(share.count), nn::whole_view(side, side));
    for (std::int64_t i = 0; i < share.count; ++i) {
        batch.pictures.rows.push_back(i);
        batch.pictures.pixels.push_back(batch.pixels.data() +
                                        static_cast<std::size_t>(i) * picture);
    }
    for (std::int64_t i = share.first; i < share.end(); ++i)
        batch.labels.push_back(static_cast<std::int32_t>((2 * i + 1) % classes));
    return batch;
}

/// Pictures stay where the network is, if it makes input of them.
bool hand_over(const Batch& batch, const BenchOptions& options, nn::Network& network) {
    const auto side = static_cast<int>(options.size);
    const kernels::InputFormat format{.height = side,
                                      .width = side,
                                      .size = side,
                                      .mean = std::vector<float>(channels, 0.5F),
                                      .std = std::vector<float>(channels, 0.3F)};
    const auto count = std::ssize(batch.labels);
    return network.take_pictures({format, count}, batch.pixels.data(), count);
}

nn::Network make_network(const nn::Graph& graph, const BenchOptions& options,
                         const comm::RowBlock& share, bool training,
                         const comm::Communicator& world) {
    nn::Network network(graph,
                        {.batch = share.count,
                         .precision = options.network.precision == "int8"
                                          ? nn::Precision::f32
                                          : nn::precision_of(options.network.precision),
                         .training = training,
                         .backend = nn::backend_kind(options.network.backend)},
                        world);
    network.load(nn::initial_tensors(graph, options.seed));
    return network;
}

/// What is measured of a network beside its steps.
struct Measured {
    nn::Graph graph;
    std::shared_ptr<nn::Network> network;
    std::int64_t samples;  ///< of this rank
    bool training;
};

Workload network_workload(const BenchOptions& options, const Measured& measured,
                          const std::function<void()>& step) {
    VALIDATE(options.batch > 0 && options.steps > 0, "--batch and --steps must be above 0");
    Workload workload;
    workload.amount = static_cast<double>(options.batch * options.steps);
    workload.unit = "img/s";
    workload.sizes = {{"parameters", measured.graph.parameter_count()}};
    step();  // makes what is made once
    workload.run = [=, steps = options.steps] {
        for (std::int64_t i = 0; i < steps; ++i) step();
    };
    if (measured.samples == 0) return workload;
    const auto bare = std::make_shared<std::optional<BareConvolutions>>();
    workload.prepare_bare = [=, backend = nn::backend_kind(options.network.backend)] {
        bare->emplace(measured.graph, backend, measured.network->precision(), measured.samples,
                      measured.training);
    };
    workload.bare = [=, steps = options.steps] {
        for (std::int64_t i = 0; i < steps; ++i) (*bare)->run();
    };
    // On a device the host's clock sees a stage set out, not its work.
    if (nn::backend_kind(options.network.backend) == nn::BackendKind::cudnn) return workload;
    const auto profile = std::make_shared<nn::Profile>();
    const auto steps_done = std::make_shared<std::int64_t>(0);
    measured.network->take_times(*profile);
    workload.run = [=, steps = options.steps] {
        for (std::int64_t i = 0; i < steps; ++i, ++*steps_done) step();
    };
    workload.layers = [=] {
        return layer_table(measured.graph, *profile, *steps_done, measured.samples,
                           measured.training, **bare);
    };
    return workload;
}

}  // namespace

Workload train_workload(const BenchOptions& options, const comm::Communicator& world) {
    const auto graph = graph_for(options);
    const auto share = comm::row_block(options.batch, world);
    const auto network =
        std::make_shared<nn::Network>(make_network(graph, options, share, true, world));
    const auto batch = std::make_shared<const Batch>(draw_batch(options, share));
    const bool from_pictures = hand_over(*batch, options, *network);
    const auto size = network->parameters().size();
    const auto optimizer = std::make_shared<nn::Optimizer>(
        nn::OptimizerSettings{}, std::vector<nn::ParameterSlice>{{0, size, 1e-4}}, size,
        network->in_backend().backend);
    return network_workload(options, {graph, network, share.count, true}, [=] {
        const nn::StepKey key{.step = optimizer->steps()};
        optimizer->begin_step(1e-3);
        const nn::Network::Update update = [&](const auto& all, auto losses) {
            optimizer->finish_step(all.parameters, all.gradients, losses);
        };
        if (from_pictures)
            network->train_step(batch->pictures.batch(), batch->labels, {}, key, update);
        else
            network->train_step(batch->images, batch->labels, {}, key, update);
    });
}

Workload extract_workload(const BenchOptions& options, const comm::Communicator& world) {
    const auto graph = graph_for(options);
    const auto share = comm::row_block(options.batch, world);
    const auto network =
        std::make_shared<nn::Network>(make_network(graph, options, share, false, world));
    const auto batch = std::make_shared<const Batch>(draw_batch(options, share));
    const bool from_pictures = hand_over(*batch, options, *network);
    const auto features = graph.node(graph.features()).name;
    if (options.network.precision == "int8")
        network->quantise([&](const nn::Network::Images& use) { use(batch->images); }, world);
    // The ceiling of integers is that of f32, too: the table says how much they gain over it.
    return network_workload(options, {graph, network, share.count, false}, [=] {
        if (from_pictures)
            network->forward(batch->pictures.batch());
        else
            network->forward(batch->images);
        network->value(features);
    });
}

}  // namespace nanoatlas::jobs
