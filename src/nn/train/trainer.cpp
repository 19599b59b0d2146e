#include "nn/train/trainer.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/check.hpp"
#include "base/progress.hpp"
#include "base/stopwatch.hpp"

namespace nanoatlas::nn {

Trainer::Trainer(Network& network, const TrainingData& data, const TrainSettings& settings,
                 const comm::Communicator& comm)
    : network_(network),
      data_(data),
      settings_(settings),
      comm_(comm),
      steps_(network, data, settings, comm) {}

void Trainer::resume(TrainingState state) {
    state_ = std::move(state);
    steps_.load(state_);
}

TrainingResult Trainer::run(const TrainingHooks& hooks) {
    run_to(settings_.epochs, hooks);
    return result();
}

void Trainer::run_to(std::int64_t epoch, const TrainingHooks& hooks) {
    deadline_ = Deadline(hooks.time_limit);
    while (state_.epoch < epoch && !is_over()) {
        train_epoch(hooks);
        finish_epoch(hooks);
    }
}

bool Trainer::is_over() const {
    return state_.epoch >= settings_.epochs ||
           is_out_of_patience(state_.best, state_.epoch, settings_.patience);
}

TrainingResult Trainer::result() const {
    TrainingResult result;
    const auto& best = state_.best;
    if (!best.empty()) result.validation_accuracy = best.front().score.accuracy;
    const bool take_best = settings_.choice == Choice::best && !best.empty();
    result.tensors = take_best ? best.front().tensors : state_.counting();
    result.epoch = take_best ? best.front().score.epoch + 1 : state_.epoch;
    for (const auto& model : best) {
        if (!result.best.empty()) result.runners_up.push_back(model.tensors);
        result.best.push_back(model.score);
    }
    return result;
}

void Trainer::train_epoch(const TrainingHooks& hooks) {
    base::Progress progress("train/epoch " + std::to_string(state_.epoch + 1),
                            static_cast<std::int64_t>(data_.train.rows.size()), "images");
    progress.advance(state_.seen);
    while (state_.step < steps_.order().steps()) {
        const base::Stopwatch watch;
        const auto step = steps_.take(state_.epoch, state_.step, rate(global_step()));
        state_.loss_sum += step.loss * static_cast<double>(step.labelled);
        state_.seen += step.labelled;
        state_.correct += step.correct;
        ++state_.step;
        state_.seconds += watch.seconds();
        deadline_.step_took(watch.seconds());
        progress.advance(step.labelled);
        progress.note(
            fmt::format("loss {:.4f}", state_.loss_sum / static_cast<double>(state_.seen)));
        hooks.step_done(state_);
        stop_if_asked(hooks);
    }
}

void Trainer::stop_if_asked(const TrainingHooks& hooks) {
    const bool epoch_ends = state_.step == steps_.order().steps();
    const double passes =
        static_cast<double>(data_.validation.rows.size()) / static_cast<double>(settings_.batch);
    nn::stop_if_asked(
        hooks, deadline_, epoch_ends ? passes : 0, state_, [&] { save(hooks); }, comm_);
}

double Trainer::rate(std::int64_t step) const {
    const auto total = settings_.epochs * steps_.order().steps();
    const Schedule schedule{
        .kind = settings_.schedule,
        .peak = settings_.rate,
        .warmup = static_cast<std::int64_t>(settings_.warmup * static_cast<double>(total)),
        .total = total};
    return learning_rate(schedule, step);
}

void Trainer::finish_epoch(const TrainingHooks& hooks) {
    const base::Stopwatch watch;
    const auto validation = validate();
    // The ranks' clocks differ; the line must not.
    state_.history.push_back(comm_.broadcast(metrics_line(validation)));
    hooks.epoch_done(state_.history.back());
    deadline_.epoch_end_took(watch.seconds());
    ++state_.epoch;
    state_.step = 0;
    state_.loss_sum = state_.seconds = 0;
    state_.seen = state_.correct = 0;
    save(hooks);
}

std::optional<Metrics> Trainer::validate() {
    if (data_.validation.rows.empty()) return std::nullopt;
    const StepTaker::Counting counting(steps_);
    const auto classes = network_.graph().shape(network_.graph().output()).elements();
    const auto judgements = judge_samples(network_, steps_.order().most_of_rank(comm_.size()),
                                          data_.inputs, data_.validation, comm_);
    const auto metrics = compute_metrics(judgements, static_cast<int>(classes));
    keep_if_best(state_.best,
                 {.epoch = state_.epoch, .accuracy = metrics.accuracy, .loss = metrics.loss},
                 settings_.keep_best, [&] { return network_.tensors(); });
    return metrics;
}

void Trainer::save(const TrainingHooks& hooks) {
    const base::Stopwatch watch;
    steps_.save(state_);
    hooks.save(state_);
    deadline_.checkpoint_took(watch.seconds());
}

std::string Trainer::metrics_line(const std::optional<Metrics>& validation) const {
    const auto seen = static_cast<double>(state_.seen);
    nlohmann::ordered_json line = {{"epoch", state_.epoch + 1},
                                   {"steps", steps_.order().steps()},
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
