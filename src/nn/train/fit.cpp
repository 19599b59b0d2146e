#include "nn/train/fit.hpp"

#include "base/check.hpp"
#include "nn/train/head.hpp"
#include "nn/train/start.hpp"
#include "nn/zoo/zoo.hpp"

namespace nanoatlas::nn {
namespace {

/// Samples that a rank passes at once when it computes features.
constexpr std::int64_t feature_batch = 32;

/// The last node that keeps its parameters; "" if all are trained.
std::string frozen_layer(const Graph& graph, const std::string& arch, const std::string& freeze) {
    if (freeze == "none") return "";
    if (freeze == "backbone") {
        const auto classifier = graph.find(zoo::ends(arch).classifier);
        return graph.node({graph.node(classifier).inputs.at(0)}).name;
    }
    VALIDATE(freeze.starts_with("to:") && freeze.size() > 3,
             "--freeze '{}' is none of none, backbone and to:LAYER; choose one of these", freeze);
    const auto layer = graph.node(graph.find(freeze.substr(3))).name;
    const auto last = graph.find(layer).node;
    bool any_left = false;
    for (const auto& parameter : graph.parameters()) any_left |= parameter.node > last;
    VALIDATE(any_left, "--freeze '{}' leaves nothing to train; name an earlier layer", freeze);
    return layer;
}

/// Trains a graph, which is the model's or its head, on inputs.
TrainingResult train_graph(const Graph& graph, const TensorMap& tensors, const NetworkOptions& how,
                           const Inputs& inputs, const FitData& data, const TrainSettings& settings,
                           std::optional<TrainingState> resume, const TrainingHooks& hooks,
                           const comm::Communicator& comm) {
    Network network(graph, how, comm);
    network.load(tensors);
    const TrainingData training{
        .inputs = inputs, .train = data.train, .validation = data.validation};
    Trainer trainer(network, training, settings, comm);
    if (resume) trainer.resume(std::move(*resume));
    return trainer.run(hooks);
}

}  // namespace

TrainingResult fit(ModelFile& model, const FitData& data, const FitOptions& options,
                   std::optional<TrainingState> resume, const TrainingHooks& hooks,
                   const comm::Communicator& comm) {
    const auto samples = static_cast<std::int64_t>(data.train.rows.size());
    VALIDATE(samples > 0, "there are no samples to train on");
    VALIDATE(options.train.batch > 0 && options.train.epochs > 0,
             "--batch {} and --epochs {} must be at least 1", options.train.batch,
             options.train.epochs);
    const Graph graph = graph_of(model);
    const TrainingOrder order(samples, options.train.batch, options.train.seed);
    NetworkOptions how{.batch = order.most_of_rank(comm.size()),
                       .precision = options.precision,
                       .training = true,
                       .backend = options.backend,
                       .sync_batch_norm = options.sync_batch_norm,
                       .frozen_to = frozen_layer(graph, model.arch, options.freeze),
                       .keep = {}};
    const ImageInputs pictures(data.images, model.size, model.mean, model.std, options.augmentation,
                               options.train.seed);
    const bool features_stay = options.freeze == "backbone" && !options.augmentation;
    const auto head = features_stay ? head_of(graph) : std::nullopt;
    TrainingResult result;
    if (head) {
        auto rows = data.train.rows;
        rows.insert(rows.end(), data.validation.rows.begin(), data.validation.rows.end());
        const NetworkOptions once{.batch = feature_batch,
                                  .precision = options.precision,
                                  .backend = options.backend,
                                  .frozen_to = "",
                                  .keep = {}};
        const auto features =
            compute_features(graph, model.tensors, once, pictures, rows, data.images.count(), comm);
        how.frozen_to = "";
        how.precision = Precision::f32;
        result = train_graph(*head, model.tensors, how, features, data, options.train,
                             std::move(resume), hooks, comm);
    } else {
        result = train_graph(graph, model.tensors, how, pictures, data, options.train,
                             std::move(resume), hooks, comm);
    }
    for (const auto& [name, tensor] : result.tensors) model.tensors[name] = tensor;
    return result;
}

}  // namespace nanoatlas::nn
