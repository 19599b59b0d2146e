#include "reduce/autoencoder/training.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/check.hpp"
#include "base/progress.hpp"
#include "base/random.hpp"
#include "base/stopwatch.hpp"
#include "nn/initialise.hpp"
#include "nn/train/best_models.hpp"
#include "nn/train/learnt_state.hpp"
#include "nn/train/optimizer.hpp"
#include "nn/train/order.hpp"
#include "nn/train/schedule.hpp"
#include "reduce/autoencoder/encoding.hpp"
#include "reduce/autoencoder/loss.hpp"

namespace nanoatlas::reduce {
namespace {

void check_settings(const AutoencoderSettings& settings) {
    VALIDATE(settings.epochs > 0 && settings.batch > 0,
             "--epochs {} and --batch {} are to be at least 1", settings.epochs, settings.batch);
    VALIDATE(settings.rate > 0 && std::isfinite(settings.rate), "--lr {} is to be above 0",
             settings.rate);
    VALIDATE(settings.noise >= 0 && std::isfinite(settings.noise),
             "--noise {} is not to be below 0", settings.noise);
}

class Training {
  public:
    Training(const Autoencoder& autoencoder, const AutoencoderRows& rows, const Split& split,
             const AutoencoderSettings& settings, const comm::Communicator& comm)
        : rows_(rows),
          split_(split),
          settings_(settings),
          comm_(comm),
          elements_(rows.shape().elements()),
          order_(std::vector<std::int32_t>(split.trained.size()),
                 {.batch = settings.batch, .seed = settings.seed}),
          batch_(std::max<std::int64_t>(1, order_.most_of_rank(comm.size()))),
          network_(graph_of(autoencoder),
                   {.batch = batch_,
                    .precision = settings.precision,
                    .training = true,
                    .backend = settings.backend},
                   comm),
          optimizer_({.kind = nn::OptimizerKind::adamw},
                     {{.offset = 0, .count = network_.gradients().size()}},
                     network_.gradients().size(), network_.in_backend().backend),
          schedule_({.kind = nn::ScheduleKind::cosine,
                     .peak = settings.rate,
                     .warmup = settings.epochs * order_.steps() / 10,
                     .total = settings.epochs * order_.steps()}) {
        network_.load(nn::initial_tensors(network_.graph(), settings.seed));
    }

    /// Goes on from a state.
    void resume(nn::TrainingState state) {
        state_ = std::move(state);
        nn::load_learnt(state_, network_, optimizer_);
    }

    void run(const nn::TrainingHooks& hooks) {
        deadline_ = nn::Deadline(hooks.time_limit);
        base::Progress progress("reduce/autoencoder", settings_.epochs * order_.steps(), "steps");
        progress.advance(number_of_step());
        while (state_.epoch < settings_.epochs) {
            while (state_.step < order_.steps()) {
                const base::Stopwatch watch;
                state_.loss_sum += take_step();
                ++state_.step;
                deadline_.step_took(watch.seconds());
                progress.advance(1);
                hooks.step_done(state_);
                nn::stop_if_asked(
                    hooks, deadline_, steps_to_evaluate(), state_, [&] { save(hooks); }, comm_);
            }
            finish_epoch(hooks);
        }
    }

    /// What was learnt, and how; puts the weights that count into the autoencoder.
    AutoencoderTraining result(Autoencoder& autoencoder) const {
        VALIDATE(split_.held_out.empty() || !state_.best.empty(),
                 "the held-out rows' error is not finite (the steps are too large); lower --lr");
        AutoencoderTraining result{
            .epochs = {},
            .best = split_.held_out.empty() ? state_.epoch : state_.best[0].score.epoch + 1};
        for (const auto& line : state_.history) result.epochs.push_back(errors_of(line));
        autoencoder.tensors = split_.held_out.empty() ? network_.tensors() : state_.best[0].tensors;
        return result;
    }

  private:
    std::int64_t number_of_step() const { return state_.epoch * order_.steps() + state_.step; }

    /// The loss before the step.
    double take_step() {
        const auto draws = order_.draws({state_.epoch, state_.step, 0});
        const auto mine = comm::row_block(std::ssize(draws), comm_);
        std::vector<std::int64_t> numbers;
        for (auto i = mine.first; i < mine.end(); ++i)
            numbers.push_back(
                split_
                    .trained[static_cast<std::size_t>(draws[static_cast<std::size_t>(i)].sample)]);
        const auto targets = rows_.fetch(numbers);
        const auto number = number_of_step();
        const double loss = network_.train_step(
            with_noise(targets, numbers),
            [&](std::span<const float> outputs, std::span<float> gradient) {
                return comm_.sum(squared_error(outputs, targets, mine.total * elements_, gradient));
            },
            {.seed = settings_.seed, .step = number});
        VALIDATE(std::isfinite(loss),
                 "the loss is {} in epoch {}, step {} (the steps are too large); lower --lr", loss,
                 state_.epoch + 1, state_.step + 1);
        const auto all = network_.in_backend();
        optimizer_.step(all.parameters, all.gradients, nn::learning_rate(schedule_, number));
        return loss;
    }

    /// Mean squared error of the values of held-out rows.
    double held_out_error() {
        if (split_.held_out.empty()) return std::numeric_limits<double>::quiet_NaN();
        double sum = 0;
        pass_own(network_, batch_, rows_, split_.held_out,
                 [&](std::span<const float> outputs, std::span<const float> targets) {
                     const auto errors = squared_errors(outputs, targets, elements_);
                     sum = std::accumulate(errors.begin(), errors.end(), sum);
                 });
        return comm_.sum(sum) / static_cast<double>(std::ssize(split_.held_out) * elements_);
    }

    void finish_epoch(const nn::TrainingHooks& hooks) {
        const base::Stopwatch watch;
        const EpochErrors errors{.trained = state_.loss_sum / static_cast<double>(order_.steps()),
                                 .held_out = held_out_error()};
        if (std::isfinite(errors.held_out))
            nn::keep_if_best(state_.best,
                             {.epoch = state_.epoch, .accuracy = 0, .loss = errors.held_out}, 1,
                             [&] { return network_.tensors(); });
        state_.history.push_back(line_of(state_.epoch + 1, errors));
        hooks.epoch_done(state_.history.back());
        deadline_.epoch_end_took(watch.seconds());
        ++state_.epoch;
        state_.step = 0;
        state_.loss_sum = 0;
        if (is_worth_saving()) save(hooks);
    }

    /// Epochs of few rows take less time than keeping the state does.
    bool is_worth_saving() const {
        constexpr double share = 0.05;
        return comm_.broadcast(share * since_saved_.seconds() >= seconds_to_save_);
    }

    void save(const nn::TrainingHooks& hooks) {
        const base::Stopwatch watch;
        nn::save_learnt(network_, optimizer_, state_);
        hooks.save(state_);
        seconds_to_save_ = watch.seconds();
        deadline_.checkpoint_took(seconds_to_save_);
        since_saved_ = {};
    }

    /// Steps' worth of held-out rows that pass if the epoch is at its end.
    double steps_to_evaluate() const {
        if (state_.step < order_.steps()) return 0;
        return static_cast<double>(split_.held_out.size()) / static_cast<double>(settings_.batch);
    }

    /// Of each row other noise in each epoch, whatever the rank that has it.
    std::vector<float> with_noise(std::vector<float> values,
                                  std::span<const std::int64_t> numbers) const {
        if (settings_.noise == 0) return values;
#pragma omp parallel for
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            base::Random random(settings_.seed, base::fnv1a("noise"), state_.epoch, numbers[i]);
            const auto width = static_cast<std::size_t>(elements_);
            for (auto& value : std::span(values).subspan(i * width, width))
                value += static_cast<float>(settings_.noise * random.normal());
        }
        return values;
    }

    const AutoencoderRows& rows_;
    const Split& split_;
    const AutoencoderSettings& settings_;
    const comm::Communicator& comm_;
    std::int64_t elements_;
    nn::TrainingOrder order_;
    std::int64_t batch_;
    nn::Network network_;
    nn::Optimizer optimizer_;
    nn::Schedule schedule_;
    nn::TrainingState state_;
    nn::Deadline deadline_;
    base::Stopwatch since_saved_;
    double seconds_to_save_ = 0;
};

}  // namespace

AutoencoderTraining train(Autoencoder& autoencoder, const AutoencoderRows& rows, const Split& split,
                          const AutoencoderSettings& settings,
                          std::optional<nn::TrainingState> resume, const nn::TrainingHooks& hooks,
                          const comm::Communicator& comm) {
    check_settings(settings);
    Training training(autoencoder, rows, split, settings, comm);
    if (resume) training.resume(std::move(*resume));
    training.run(hooks);
    return training.result(autoencoder);
}

}  // namespace nanoatlas::reduce
