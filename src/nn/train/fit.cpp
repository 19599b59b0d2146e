#include "nn/train/fit.hpp"

#include <memory>

#include "base/check.hpp"
#include "base/memory.hpp"
#include "nn/train/head.hpp"
#include "nn/train/layer_blocks.hpp"
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
    auto layer = graph.node(graph.find(freeze.substr(3))).name;
    const auto last = graph.find(layer).node;
    bool any_left = false;
    for (const auto& parameter : graph.parameters()) any_left |= parameter.node > last;
    VALIDATE(any_left, "--freeze '{}' leaves nothing to train; name an earlier layer", freeze);
    return layer;
}

void check_settings(const TrainSettings& train, const FitData& data, const std::string& freeze) {
    VALIDATE(!data.train.rows.empty(), "there are no samples to train on");
    VALIDATE(train.batch > 0 && train.epochs > 0, "--batch {} and --epochs {} must be at least 1",
             train.batch, train.epochs);
    VALIDATE(train.accumulate > 0 && train.accumulate <= train.batch,
             "--accumulate {} is not in [1, --batch] (each pass takes an image at least); choose "
             "one of these",
             train.accumulate);
    VALIDATE(train.unfreeze_every == 0 || freeze == "none",
             "--unfreeze-every {} and --freeze {} exclude each other (one releases layers that the "
             "other keeps); leave one out",
             train.unfreeze_every, freeze);
    VALIDATE(!data.validation.rows.empty() || (train.patience == 0 && train.keep_best == 1),
             "--patience and --keep-best need images to validate with, and the corpus has none; "
             "ingest with --parts auto, or leave them out");
}

/// What is trained, and on what: the network on pictures, or its head on features.
struct Subject {
    Graph graph;
    NetworkOptions how;
    std::unique_ptr<Inputs> inputs;
    std::vector<FreezingPhase> phases;
};

Subject subject_of(const ModelFile& model, const FitData& data, const FitOptions& options,
                   const comm::Communicator& comm) {
    check_settings(options.train, data, options.freeze);
    auto graph = graph_of(model);
    const TrainingOrder order(data.train.labels, options.train.order());
    NetworkOptions how{.batch = order.most_of_rank(comm.size()),
                       .precision = options.precision,
                       .training = true,
                       .backend = options.backend,
                       .sync_batch_norm = options.sync_batch_norm,
                       .frozen_to = frozen_layer(graph, model.arch, options.freeze),
                       .keep = {}};
    auto pictures = std::make_unique<ImageInputs>(data.images, model.size, model.mean, model.std,
                                                  options.augmentation, options.train.seed);
    const bool features_stay = options.freeze == "backbone" && !options.augmentation;
    if (const auto head = features_stay ? head_of(graph) : std::nullopt) {
        auto rows = data.train.rows;
        rows.insert(rows.end(), data.validation.rows.begin(), data.validation.rows.end());
        const NetworkOptions once{.batch = feature_batch,
                                  .precision = options.precision,
                                  .backend = options.backend,
                                  .frozen_to = "",
                                  .keep = {}};
        auto features = std::make_unique<FeatureInputs>(compute_features(
            graph, model.tensors, once, *pictures, rows, data.images.count(), comm));
        how.precision = Precision::f32;
        return {*head, how, std::move(features), {{}}};
    }
    auto phases = options.train.unfreeze_every > 0
                      ? unfreezing_phases(graph, options.train.unfreeze_every)
                      : std::vector<FreezingPhase>{{.first_epoch = 0, .frozen_to = how.frozen_to}};
    std::erase_if(phases, [&](const FreezingPhase& phase) {
        return phase.first_epoch >= options.train.epochs;
    });
    return {std::move(graph), how, std::move(pictures), std::move(phases)};
}

Network network_of(const Subject& subject, const FreezingPhase& phase,
                   const comm::Communicator& comm) {
    auto how = subject.how;
    how.frozen_to = phase.frozen_to;
    return {subject.graph, how, comm};
}

std::int64_t buffers_of_optimizer(const TrainSettings& train) {
    return train.optimizer.kind == OptimizerKind::adamw ? 2 : 1;
}

/// What a training holds beside its network where that has its parameters, in times those: buffers
/// of the optimiser, the average, a sum over passes.
std::int64_t copies_at_work(const TrainSettings& train) {
    return buffers_of_optimizer(train) + (train.average > 0 ? 1 : 0) +
           (train.accumulate > 1 ? 1 : 0);
}

/// The same for what it holds in the host's memory: the state's copies of those buffers and of
/// tensors and average, the best epochs.
std::int64_t copies_kept(const TrainSettings& train) {
    return buffers_of_optimizer(train) + 2 + (train.average > 0 ? 1 : 0) + train.keep_best;
}

/// What a device takes to make a batch's input of pictures: those and their scaled tones, twice for
/// mixing.
std::int64_t bytes_of_pictures(const Subject& subject, const TrainSettings& train) {
    const auto* const inputs = subject.inputs->pictures();
    if (inputs == nullptr) return 0;
    const std::int64_t height = inputs->format().height, width = inputs->format().width;
    const std::int64_t size = inputs->format().size;
    const std::int64_t each = height * width + size * size * std::int64_t{sizeof(float)};
    return (train.mixup > 0 ? 2 : 1) * subject.how.batch * each;
}

/// The whole training fits, its last phase too, which trains most. Collective. throws InputError
void check_memory(const Subject& subject, const TrainSettings& train,
                  const comm::Communicator& comm) {
    constexpr double gibibyte = 1 << 30;
    auto network = network_of(subject, subject.phases.back(), comm);
    const auto& backend = network.in_backend().backend;
    const auto tensors = subject.graph.parameter_count() * std::int64_t{sizeof(float)};
    const auto at_work = network.planned_bytes() + copies_at_work(train) * tensors;
    if (!backend.shares_host_memory()) {
        const auto needed = comm.max(at_work + bytes_of_pictures(subject, train));
        const auto available = comm.min(backend.available_bytes());
        VALIDATE(needed <= available,
                 "training needs {:.1f} GiB more a rank on its device for activations and "
                 "optimiser, and {:.1f} GiB are free (it would run out of memory); use a smaller "
                 "--batch, a larger --accumulate, fewer ranks a device or bf16",
                 static_cast<double>(needed) / gibibyte, static_cast<double>(available) / gibibyte);
    }
    // What lies on a device has its copy on the host when it is read or saved.
    const auto needed =
        comm.max((backend.shares_host_memory() ? at_work : copies_at_work(train) * tensors) +
                 copies_kept(train) * tensors) *
        comm.node().size();
    const auto available = comm.min(base::available_memory());
    VALIDATE(!comm.any(needed > available),
             "training needs {:.1f} GiB more a node for activations, optimiser, checkpoints and "
             "best epochs, and {:.1f} GiB are free (it would run out of memory); use a smaller "
             "--batch, a larger --accumulate, fewer ranks a node, bf16 or a smaller --keep-best",
             static_cast<double>(needed) / gibibyte, static_cast<double>(available) / gibibyte);
}

TrainingData training_data(const Subject& subject, const FitData& data) {
    return {.inputs = *subject.inputs,
            .train = data.train,
            .validation = data.validation,
            .name_row = data.name_row};
}

}  // namespace

TrainingResult fit(ModelFile& model, const FitData& data, const FitOptions& options,
                   std::optional<TrainingState> resume, const TrainingHooks& hooks,
                   const comm::Communicator& comm) {
    const auto subject = subject_of(model, data, options, comm);
    check_memory(subject, options.train, comm);
    const auto training = training_data(subject, data);
    TrainingResult result;
    for (auto phase = subject.phases.begin(); phase != subject.phases.end(); ++phase) {
        const auto next = phase + 1;
        const bool is_last = next == subject.phases.end();
        const auto end = is_last ? options.train.epochs : next->first_epoch;
        if (!is_last && resume && resume->epoch >= end) continue;
        auto network = network_of(subject, *phase, comm);
        network.load(model.tensors);
        Trainer trainer(network, training, options.train, comm);
        if (resume) trainer.resume(std::move(*resume));
        trainer.run_to(end, hooks);
        if (is_last || trainer.is_over()) {
            result = trainer.result();
            break;
        }
        resume = trainer.release();
    }
    for (const auto& [name, tensor] : result.tensors) model.tensors[name] = tensor;
    return result;
}

RateTest test_rates(const ModelFile& model, const FitData& data, const FitOptions& options,
                    const RateTestSettings& settings, const comm::Communicator& comm) {
    const auto subject = subject_of(model, data, options, comm);
    const auto training = training_data(subject, data);
    auto network = network_of(subject, subject.phases.front(), comm);
    network.load(model.tensors);
    StepTaker steps(network, training, options.train, comm);
    return run_rate_test(steps, settings);
}

}  // namespace nanoatlas::nn
