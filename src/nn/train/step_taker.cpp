#include "nn/train/step_taker.hpp"

#include <cmath>

#include "nn/train/layer_blocks.hpp"
#include "nn/train/learnt_state.hpp"

namespace nanoatlas::nn {
namespace {

/// The trained parameters, each with its part of the rate, its decay, and the step at which gradual
/// unfreezing releases it.
std::vector<ParameterSlice> trained_slices(const Network& network, const TrainSettings& settings,
                                           std::int64_t steps_an_epoch) {
    const auto behind = blocks_behind(network.graph());
    std::vector<ParameterSlice> slices;
    for (const auto& slot : network.slots()) {
        if (slot.frozen) continue;
        const auto blocks = behind.at(slot.name);
        slices.push_back(
            {.offset = static_cast<std::size_t>(slot.offset),
             .count = static_cast<std::size_t>(slot.size),
             .weight_decay = slot.kind == ParameterKind::weight ? settings.weight_decay : 0,
             .rate_factor = std::pow(settings.layer_decay, static_cast<double>(blocks)),
             .first_step = blocks * settings.unfreeze_every * steps_an_epoch});
    }
    return slices;
}

}  // namespace

StepTaker::StepTaker(Network& network, const TrainingData& data, const TrainSettings& settings,
                     const comm::Communicator& comm)
    : network_(network),
      data_(data),
      settings_(settings),
      comm_(comm),
      batches_(data.inputs, data.train, settings, comm),
      optimizer_(settings.optimizer, trained_slices(network, settings, batches_.order().steps()),
                 network.gradients().size(), network.in_backend().backend) {
    if (order().passes() > 1)
        mean_.emplace(network.in_backend().backend, std::ssize(network.gradients()));
    if (settings.average > 0) average_.emplace(network, settings.average);
    hand_over_pictures();
}

void StepTaker::hand_over_pictures() {
    const auto* const inputs = data_.inputs.pictures();
    if (inputs == nullptr) return;
    const auto& images = inputs->images();
    const auto most = batches_.most_pictures(order().most_of_rank(comm_.size()));
    if (network_.take_pictures({inputs->format(), most}, images.row(0), images.count()))
        batches_.hand_out_pictures();
}

StepResult StepTaker::take(std::int64_t epoch, std::int64_t step, double rate) {
    StepResult whole;
    const auto passes = order().passes();
    for (std::int64_t pass = 0; pass < passes; ++pass) {
        const auto part = take_pass({epoch, step, pass}, rate);
        if (mean_) mean_->add(network_.in_backend().gradients, part.weight);
        whole.loss += part.loss * part.weight;
        whole.weight += part.weight;
        whole.labelled += part.labelled;
        whole.correct += part.correct;
    }
    if (whole.weight > 0) whole.loss /= whole.weight;
    if (mean_) {
        const auto all = network_.in_backend();
        mean_->take(all.gradients);
        optimizer_.step(all.parameters, all.gradients, rate);
    }
    if (average_) average_->update(network_, optimizer_.steps());
    return whole;
}

StepResult StepTaker::take_pass(const Pass& pass, double rate) {
    const auto batch = batches_.get(pass);
    if (pass.pass + 1 < order().passes())
        batches_.will_need({pass.epoch, pass.step, pass.pass + 1});
    else if (pass.step + 1 < order().steps())
        batches_.will_need({pass.epoch, pass.step + 1, 0});
    const LossOptions loss{.class_weights = settings_.class_weights,
                           .label_smoothing = settings_.label_smoothing,
                           .inner = data_.train.inner,
                           .other_labels = batch.other_labels,
                           .shares = batch.share};
    const StepKey key{.seed = settings_.seed, .step = order().number(pass)};
    Network::Update update;
    if (!mean_) {  // of several passes the mean is what updates
        optimizer_.begin_step(rate);
        update = [&](const Network::InBackend& all, std::span<const double* const> losses) {
            optimizer_.finish_step(all.parameters, all.gradients, losses);
        };
    }
    auto result =
        batch.pictures
            ? network_.train_step(batch.pictures->batch(), batch.labels, loss, key, update)
            : network_.train_step(batch.images, batch.labels, loss, key, update);
    check_finite(result, batch, pass, rate);
    return result;
}

void StepTaker::check_finite(const StepResult& result, const Batch& batch, const Pass& pass,
                             double rate) {
    if (std::isfinite(result.loss)) return;
    const auto samples = culprits(batch, result.not_finite, data_.name_row, comm_);
    throw LossNotFinite(fmt::format(
        "the loss is {} in epoch {}, step {}, at learning rate {:.3g}{} (the steps are too large, "
        "so the weights ran away, or these samples are unlike all others); lower --lr, shorten "
        "gradients with --clip, go on from an earlier model with --init, or look at the samples",
        result.loss, pass.epoch + 1, pass.step + 1, rate,
        samples.empty() ? "" : ", from " + samples));
}

void StepTaker::exchange() {
    if (average_) average_->exchange(network_);
}

void StepTaker::save(TrainingState& state) {
    if (average_) {
        const Counting counting(*this);
        state.average = network_.tensors();
    }
    save_learnt(network_, optimizer_, state);
}

void StepTaker::load(const TrainingState& state) {
    if (average_) {
        network_.load(state.average);
        average_.emplace(network_, settings_.average);
    }
    load_learnt(state, network_, optimizer_);
}

}  // namespace nanoatlas::nn
