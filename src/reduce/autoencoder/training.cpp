#include "reduce/autoencoder/training.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/check.hpp"
#include "base/progress.hpp"
#include "base/random.hpp"
#include "nn/initialise.hpp"
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

    std::int64_t steps() const { return order_.steps(); }
    nn::TensorMap tensors() const { return network_.tensors(); }

    /// The loss before the step.
    double take_step(std::int64_t epoch, std::int64_t step) {
        const auto draws = order_.draws({epoch, step, 0});
        const auto mine = comm::row_block(std::ssize(draws), comm_);
        std::vector<std::int64_t> numbers;
        for (auto i = mine.first; i < mine.end(); ++i)
            numbers.push_back(
                split_
                    .trained[static_cast<std::size_t>(draws[static_cast<std::size_t>(i)].sample)]);
        const auto targets = rows_.fetch(numbers);
        const auto number = epoch * order_.steps() + step;
        const double loss = network_.train_step(
            with_noise(targets, numbers, epoch),
            [&](std::span<const float> outputs, std::span<float> gradient) {
                return comm_.sum(squared_error(outputs, targets, mine.total * elements_, gradient));
            },
            {.seed = settings_.seed, .step = number});
        VALIDATE(std::isfinite(loss),
                 "the loss is {} in epoch {}, step {} (the steps are too large); lower --lr", loss,
                 epoch + 1, step + 1);
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

  private:
    /// Of each row other noise in each epoch, whatever the rank that has it.
    std::vector<float> with_noise(std::vector<float> values, std::span<const std::int64_t> numbers,
                                  std::int64_t epoch) const {
        if (settings_.noise == 0) return values;
#pragma omp parallel for
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            base::Random random(settings_.seed, base::fnv1a("noise"), epoch, numbers[i]);
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
};

}  // namespace

AutoencoderTraining train(
    Autoencoder& autoencoder, const AutoencoderRows& rows, const Split& split,
    const AutoencoderSettings& settings,
    const std::function<void(std::int64_t epoch, const EpochErrors& errors)>& epoch_done,
    const comm::Communicator& comm) {
    check_settings(settings);
    Training training(autoencoder, rows, split, settings, comm);
    base::Progress progress("reduce/autoencoder", settings.epochs * training.steps(), "steps");
    AutoencoderTraining result;
    double least = std::numeric_limits<double>::infinity();
    for (std::int64_t epoch = 0; epoch < settings.epochs; ++epoch) {
        double sum = 0;
        for (std::int64_t step = 0; step < training.steps(); ++step) {
            sum += training.take_step(epoch, step);
            progress.advance(1);
        }
        const EpochErrors errors{.trained = sum / static_cast<double>(training.steps()),
                                 .held_out = training.held_out_error()};
        result.epochs.push_back(errors);
        epoch_done(epoch + 1, errors);
        const bool is_better =
            split.held_out.empty() ? epoch + 1 == settings.epochs : errors.held_out < least;
        if (!is_better) continue;
        least = errors.held_out;
        result.best = epoch + 1;
        autoencoder.tensors = training.tensors();
    }
    VALIDATE(result.best > 0,
             "the held-out rows' error is not finite (the steps are too large); lower --lr");
    return result;
}

}  // namespace nanoatlas::reduce
