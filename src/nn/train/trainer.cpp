#include "nn/train/trainer.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/check.hpp"
#include "base/progress.hpp"
#include "base/stopwatch.hpp"

namespace nanoatlas::nn {
namespace {

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

std::vector<std::int64_t> rows_at(const Samples& samples, std::span<const std::int64_t> positions) {
    std::vector<std::int64_t> rows;
    for (const auto i : positions) rows.push_back(samples.rows[static_cast<std::size_t>(i)]);
    return rows;
}

std::vector<std::int32_t> labels_at(const Samples& samples,
                                    std::span<const std::int64_t> positions) {
    std::vector<std::int32_t> labels;
    for (const auto i : positions) labels.push_back(samples.labels[static_cast<std::size_t>(i)]);
    return labels;
}

}  // namespace

Trainer::Trainer(Network& network, const TrainingData& data, const TrainSettings& settings,
                 const comm::Communicator& comm)
    : network_(network),
      data_(data),
      settings_(settings),
      comm_(comm),
      order_(static_cast<std::int64_t>(data.train.rows.size()), settings.batch, settings.seed),
      optimizer_(settings.optimizer, trained_slices(network, settings.weight_decay),
                 network.gradients().size()) {}

void Trainer::resume(TrainingState state) {
    state_ = std::move(state);
    network_.load(state_.tensors);
    optimizer_.set_steps(state_.optimizer_steps);
    for (std::size_t i = 0; i < optimizer_.state().size(); ++i)
        for (const auto& slot : network_.slots())
            if (!slot.frozen)
                std::copy_n(state_.optimizer.at(i).at(slot.name).values.begin(), slot.size,
                            optimizer_.state()[i].begin() + slot.offset);
}

void Trainer::capture() {
    state_.tensors = network_.tensors();
    state_.optimizer_steps = optimizer_.steps();
    state_.optimizer.assign(optimizer_.state().size(), {});
    for (std::size_t i = 0; i < optimizer_.state().size(); ++i)
        for (const auto& slot : network_.slots())
            if (!slot.frozen) {
                const auto begin = optimizer_.state()[i].begin() + slot.offset;
                state_.optimizer[i][slot.name] = {.shape = slot.shape,
                                                  .values = {begin, begin + slot.size}};
            }
}

TrainingResult Trainer::run(const TrainingHooks& hooks) {
    while (state_.epoch < settings_.epochs) {
        train_epoch(hooks);
        finish_epoch(hooks);
    }
    TrainingResult result;
    const bool has_best = !state_.best.empty();
    if (has_best) result.validation_accuracy = state_.best_score;
    const bool take_best = settings_.choice == Choice::best && has_best;
    result.tensors = take_best ? state_.best : network_.tensors();
    result.epoch = take_best ? state_.best_epoch + 1 : state_.epoch;
    return result;
}

void Trainer::train_epoch(const TrainingHooks& hooks) {
    base::Progress progress("train/epoch " + std::to_string(state_.epoch + 1),
                            static_cast<std::int64_t>(data_.train.rows.size()), "images");
    progress.advance(state_.seen);
    while (state_.step < order_.steps()) {
        const base::Stopwatch watch;
        const auto before = state_.seen;
        train_step();
        ++state_.step;
        state_.seconds += watch.seconds();
        progress.advance(state_.seen - before);
        progress.note(
            fmt::format("loss {:.4f}", state_.loss_sum / static_cast<double>(state_.seen)));
        if (!hooks.stop()) continue;
        capture();
        hooks.save(state_);
        throw StoppedOnRequest(
            fmt::format("training stopped on request in epoch {}, step {}; run "
                        "the same command with --resume to go on",
                        state_.epoch + 1, state_.step));
    }
}

void Trainer::train_step() {
    const auto mine = order_.slice(state_.epoch, state_.step, comm_.rank(), comm_.size());
    const auto images = data_.inputs.varied(rows_at(data_.train, mine), state_.epoch);
    const auto labels = labels_at(data_.train, mine);
    if (state_.step + 1 < order_.steps())
        data_.inputs.will_need(rows_at(
            data_.train, order_.slice(state_.epoch, state_.step + 1, comm_.rank(), comm_.size())));
    const auto step = network_.train_step(images, labels,
                                          {.class_weights = settings_.class_weights,
                                           .label_smoothing = settings_.label_smoothing,
                                           .inner = data_.train.inner},
                                          {.seed = settings_.seed, .step = global_step()});
    check_finite(step.loss);
    const auto gradients = network_.gradients();
    optimizer_.step(network_.parameters().first(gradients.size()), gradients, rate(global_step()));
    state_.loss_sum += step.loss * static_cast<double>(step.labelled);
    state_.seen += step.labelled;
    state_.correct += step.correct;
}

double Trainer::rate(std::int64_t step) const {
    const auto total = settings_.epochs * order_.steps();
    const Schedule schedule{
        .kind = settings_.schedule,
        .peak = settings_.rate,
        .warmup = static_cast<std::int64_t>(settings_.warmup * static_cast<double>(total)),
        .total = total};
    return learning_rate(schedule, step);
}

void Trainer::check_finite(double loss) const {
    VALIDATE(std::isfinite(loss),
             "the loss is {} in epoch {}, step {}, at learning rate {:.3g} (the steps are too "
             "large, so the weights ran away); lower --lr, or go on from an earlier model with "
             "--init",
             loss, state_.epoch + 1, state_.step + 1, rate(global_step()));
}

void Trainer::finish_epoch(const TrainingHooks& hooks) {
    std::optional<Metrics> validation;
    if (!data_.validation.rows.empty()) {
        const auto classes = network_.graph().shape(network_.graph().output()).elements();
        const auto judgements = judge_samples(network_, order_.most_of_rank(comm_.size()),
                                              data_.inputs, data_.validation, comm_);
        validation = compute_metrics(judgements, static_cast<int>(classes));
    }
    // The ranks' clocks differ; the line must not.
    state_.history.push_back(comm_.broadcast(metrics_line(validation)));
    hooks.epoch_done(state_.history.back());
    if (validation) keep_if_best(*validation);
    ++state_.epoch;
    state_.step = 0;
    state_.loss_sum = state_.seconds = 0;
    state_.seen = state_.correct = 0;
    capture();
    hooks.save(state_);
}

void Trainer::keep_if_best(const Metrics& validation) {
    const bool better =
        validation.accuracy > state_.best_score ||
        (validation.accuracy == state_.best_score && validation.loss < state_.best_loss);
    if (!better) return;
    state_.best = network_.tensors();
    state_.best_score = validation.accuracy;
    state_.best_loss = validation.loss;
    state_.best_epoch = state_.epoch;
}

std::string Trainer::metrics_line(const std::optional<Metrics>& validation) const {
    const auto seen = static_cast<double>(state_.seen);
    nlohmann::ordered_json line = {{"epoch", state_.epoch + 1},
                                   {"steps", order_.steps()},
                                   {"loss", state_.loss_sum / seen},
                                   {"accuracy", static_cast<double>(state_.correct) / seen},
                                   {"rate", rate(global_step() - 1)},
                                   {"seconds", state_.seconds},
                                   {"images_per_second", seen / state_.seconds}};
    if (validation)
        line["validation"] = {{"loss", validation->loss},
                              {"accuracy", validation->accuracy},
                              {"top3", validation->top3},
                              {"macro_f1", validation->macro_f1},
                              {"calibration_error", validation->calibration_error}};
    return line.dump();
}

}  // namespace nanoatlas::nn
