#include "nn/train/adapt.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "base/progress.hpp"
#include "nn/initialise.hpp"
#include "nn/train/contrastive.hpp"
#include "nn/train/inputs.hpp"
#include "nn/train/layer_blocks.hpp"
#include "nn/train/optimizer.hpp"
#include "nn/train/order.hpp"
#include "nn/train/schedule.hpp"
#include "nn/train/start.hpp"

namespace nanoatlas::nn {
namespace {

constexpr std::int64_t hidden = 256, projected = 128;

void check_settings(const AdaptSettings& settings, const Images& images) {
    VALIDATE(settings.epochs > 0 && settings.batch > 1 && settings.blocks > 0,
             "--epochs {}, --batch {} and --blocks {} are to be at least 1, 2 and 1",
             settings.epochs, settings.batch, settings.blocks);
    VALIDATE(settings.rate > 0 && settings.temperature > 0 && settings.weight_decay >= 0,
             "--lr {} and --temperature {} are to be above 0, --weight-decay {} not below",
             settings.rate, settings.temperature, settings.weight_decay);
    VALIDATE(settings.augmentation.smallest_crop > 0 && settings.augmentation.smallest_crop <= 1,
             "--crop {} is not in (0, 1]", settings.augmentation.smallest_crop);
    VALIDATE(images.count() >= 4, "{} images are too few to tell apart; give at least 4",
             images.count());
}

/// The network with a projection of its features as output.
Graph with_projection(const ModelFile& model) {
    auto graph = graph_of(model);
    VALIDATE(!graph.auxiliary(),
             "{} has an auxiliary output, for which there is no loss without labels; adapt another "
             "network",
             model.arch);
    auto x = graph.features();
    if (graph.shape(x).pixels() > 1) x = graph.global_average_pool(x, "projection.pool");
    x = graph.relu(graph.linear(graph.flatten(x, "projection.flat"), "projection.0", hidden));
    graph.set_output(graph.linear(x, "projection.1", projected));
    return graph;
}

/// The node up to which all stays as it is; "" if all is trained.
std::string frozen_layer(const ModelFile& model, std::int64_t blocks) {
    const auto all = layer_blocks(graph_of(model));  // the classifier is the last
    const auto trained = std::ssize(all) - 1 - blocks;
    return trained > 0 ? all[static_cast<std::size_t>(trained)].input : "";
}

std::vector<ParameterSlice> trained_slices(const Network& network, double weight_decay) {
    std::vector<ParameterSlice> slices;
    for (const auto& slot : network.slots())
        if (!slot.frozen)
            slices.push_back(
                {.offset = static_cast<std::size_t>(slot.offset),
                 .count = static_cast<std::size_t>(slot.size),
                 .weight_decay = slot.kind == ParameterKind::weight ? weight_decay : 0});
    return slices;
}

/// Two views of each drawn image, one after the other.
std::vector<Variation> pairs_of(std::span<const Draw> draws) {
    std::vector<Variation> pairs;
    for (const auto& draw : draws)
        for (int view = 0; view < 2; ++view)
            pairs.push_back({.row = draw.sample, .number = 2 * draw.variation + view});
    return pairs;
}

class Adaptation {
  public:
    Adaptation(const ModelFile& model, const Images& images, const AdaptSettings& settings,
               const comm::Communicator& comm)
        : settings_(settings),
          comm_(comm),
          inputs_(images, model.size, model.mean, model.std, settings.augmentation, settings.seed),
          order_(std::vector<std::int32_t>(static_cast<std::size_t>(images.count())),
                 {.batch = settings.batch, .seed = settings.seed}),
          network_(with_projection(model),
                   {.batch = 2 * order_.most_of_rank(comm.size()),
                    .precision = settings.precision,
                    .training = true,
                    .backend = settings.backend,
                    .frozen_to = frozen_layer(model, settings.blocks)},
                   comm),
          optimizer_({.kind = OptimizerKind::adamw},
                     trained_slices(network_, settings.weight_decay), network_.gradients().size(),
                     network_.in_backend().backend),
          schedule_({.kind = ScheduleKind::cosine,
                     .peak = settings.rate,
                     .warmup = settings.epochs * order_.steps() / 10,
                     .total = settings.epochs * order_.steps()}) {
        auto tensors = initial_tensors(network_.graph(), settings.seed);
        for (const auto& [name, tensor] : model.tensors) tensors.insert_or_assign(name, tensor);
        network_.load(tensors);
    }

    std::int64_t steps() const { return order_.steps(); }
    TensorMap tensors() const { return network_.tensors(); }

    /// The loss before the step.
    double take_step(std::int64_t epoch, std::int64_t step) {
        const auto draws = order_.draws({epoch, step, 0});
        const auto mine = comm::row_block(std::ssize(draws), comm_);
        const auto images = inputs_.varied(pairs_of(draws.subspan(
            static_cast<std::size_t>(mine.first), static_cast<std::size_t>(mine.count))));
        const auto number = epoch * order_.steps() + step;
        const double loss =
            network_.train_step(images,
                                [&](std::span<const float> outputs, std::span<float> gradient) {
                                    const auto all = comm_.all_gather(outputs);
                                    std::vector<float> of_all(all.size());
                                    const double found = contrastive_loss(
                                        all, projected, settings_.temperature, of_all);
                                    std::copy_n(of_all.begin() + 2 * mine.first * projected,
                                                gradient.size(), gradient.begin());
                                    return found;
                                },
                                {.seed = settings_.seed, .step = number});
        VALIDATE(std::isfinite(loss),
                 "the loss is {} in epoch {}, step {} (the steps are too large); lower --lr", loss,
                 epoch + 1, step + 1);
        const auto all = network_.in_backend();
        optimizer_.step(all.parameters, all.gradients, learning_rate(schedule_, number));
        return loss;
    }

  private:
    const AdaptSettings& settings_;
    const comm::Communicator& comm_;
    ImageInputs inputs_;
    TrainingOrder order_;
    Network network_;
    Optimizer optimizer_;
    Schedule schedule_;
};

}  // namespace

ModelFile adapt(ModelFile model, const Images& images, const AdaptSettings& settings,
                const std::function<void(std::int64_t epoch, double loss)>& epoch_done,
                const comm::Communicator& comm) {
    check_settings(settings, images);
    Adaptation adaptation(model, images, settings, comm);
    base::Progress progress("adapt", settings.epochs * adaptation.steps(), "steps");
    for (std::int64_t epoch = 0; epoch < settings.epochs; ++epoch) {
        double sum = 0;
        for (std::int64_t step = 0; step < adaptation.steps(); ++step) {
            sum += adaptation.take_step(epoch, step);
            progress.advance(1);
        }
        epoch_done(epoch + 1, sum / static_cast<double>(adaptation.steps()));
    }
    const auto trained = adaptation.tensors();
    for (auto& [name, tensor] : model.tensors)
        if (const auto found = trained.find(name); found != trained.end()) tensor = found->second;
    model.temperature = 1;
    model.threshold.reset();
    return model;
}

}  // namespace nanoatlas::nn
