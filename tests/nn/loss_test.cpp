#include "nn/loss.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "comm/distribution.hpp"
#include "nn/backend.hpp"
#include "nn/ranks.hpp"
#include "tests/mpi_test.hpp"

namespace nanoatlas::testing {
namespace {

using namespace nn;

constexpr std::int64_t classes = 3;
const std::vector<float> logits{1, 2, 3, 0, -1, 0.5, 2, 2, 0, -3, 1, 4};
const std::vector<std::int32_t> labels{2, 0, -1, 1};

struct Lost {
    StepResult result;
    std::vector<float> gradient;
};

/// Of samples of this rank, on the back end that the environment names.
Lost lose(std::span<const float> values, const LossOptions& options,
          std::span<const std::int32_t> truth, const comm::Communicator& comm) {
    const CommunicatorRanks ranks(comm);
    const auto backend = make_backend(default_backend(), Precision::f32, &ranks);
    const kernels::LossShape shape{{std::ssize(truth), 1, 1, classes}, options.inner};
    const auto x = backend->allocate(std::ssize(values) * 4);
    const auto dx = backend->allocate(std::ssize(values) * 4);
    backend->import_images(values.data(), shape.logits, x.get());

    const auto loss = backend->loss(shape);
    const auto targets = loss_targets(truth, options, shape, comm);
    loss->set_targets(targets);
    loss->run(x.get(), dx.get());
    Lost lost{loss_result(*loss, targets, *backend, comm), std::vector<float>(values.size())};
    backend->export_images(dx.get(), shape.logits, lost.gradient.data());
    return lost;
}

/// The rows of this rank.
Lost loss_of(const std::vector<float>& values, const LossOptions& options,
             const std::vector<std::int32_t>& truth = labels) {
    const auto rows = comm::row_block(std::ssize(truth), world());
    const auto part = [&](const auto& all, std::int64_t width) {
        return std::span(all).subspan(static_cast<std::size_t>(rows.first * width),
                                      static_cast<std::size_t>(rows.count * width));
    };
    return lose(part(values, classes), options, part(truth, 1), world());
}

/// By differences of the loss.
void expect_gradient(const LossOptions& options, const std::vector<std::int32_t>& truth) {
    const auto gradient = world().all_gather(loss_of(logits, options, truth).gradient);
    ASSERT_EQ(gradient.size(), logits.size());
    for (std::size_t i = 0; i < logits.size(); ++i) {
        constexpr float step = 1.0F / 256;
        auto above = logits, below = logits;
        above[i] += step;
        below[i] -= step;
        const double difference = (loss_of(above, options, truth).result.loss -
                                   loss_of(below, options, truth).result.loss) /
                                  (2 * step);
        EXPECT_NEAR(gradient[i], difference, 1e-5);
    }
}

/// By torch.nn.functional.cross_entropy(ignore_index=-1).
TEST(Loss, is_that_of_torch) {
    const auto log_sum = [](double a, double b, double c) {
        return std::log(std::exp(a) + std::exp(b) + std::exp(c));
    };
    const double first = log_sum(1, 2, 3) - 3, second = log_sum(0, -1, 0.5),
                 fourth = log_sum(-3, 1, 4) - 1;
    const auto plain = loss_of(logits, {}).result;
    EXPECT_NEAR(plain.loss, (first + second + fourth) / 3, 1e-12);
    EXPECT_EQ(plain.labelled, 3);
    EXPECT_EQ(plain.correct, 1);
    const auto weighted = loss_of(logits, {.class_weights = {2, 5, 0.5}}).result;
    EXPECT_NEAR(weighted.loss, (0.5 * first + 2 * second + 5 * fourth) / 7.5, 1e-12);

    // Smoothing: a tenth of the target spread evenly over the classes.
    const double mean_first = log_sum(1, 2, 3) - 2, mean_second = second + 0.5 / 3,
                 mean_fourth = log_sum(-3, 1, 4) - 2.0 / 3;
    const auto smooth = loss_of(logits, {.label_smoothing = 0.1}).result;
    EXPECT_NEAR(
        smooth.loss,
        (0.9 * (first + second + fourth) + 0.1 * (mean_first + mean_second + mean_fourth)) / 3,
        1e-12);
}

TEST(Loss, gradient_is_that_of_the_mean) {
    expect_gradient({.class_weights = {2, 5, 0.5}, .label_smoothing = 0.2}, labels);
}

/// Labels 3 and 4 stand for classes {0, 2} and {1}.
const InnerNodes inner{{0, 2}, {1}};
const std::vector<std::int32_t> with_inner{3, 0, -1, 4};

TEST(Loss, of_an_inner_node_is_that_of_the_sum_of_its_probabilities) {
    const auto p = [](double logit, double a, double b, double c) {
        return std::exp(logit) / (std::exp(a) + std::exp(b) + std::exp(c));
    };
    const double first = -std::log(p(1, 1, 2, 3) + p(3, 1, 2, 3)),
                 second = -std::log(p(0, 0, -1, 0.5)), fourth = -std::log(p(1, -3, 1, 4));
    const auto plain = loss_of(logits, {.inner = inner}, with_inner).result;
    EXPECT_NEAR(plain.loss, (first + second + fourth) / 3, 1e-12);
    EXPECT_EQ(plain.labelled, 3);
    EXPECT_EQ(plain.correct, 1);
    // The weight of an inner node is the mean of those of its leaves.
    const auto weighted =
        loss_of(logits, {.class_weights = {2, 5, 0.5}, .inner = inner}, with_inner).result;
    EXPECT_NEAR(weighted.loss, (1.25 * first + 2 * second + 5 * fourth) / 8.25, 1e-12);
}

TEST(Loss, gradient_of_inner_nodes_is_that_of_the_mean) {
    expect_gradient({.class_weights = {2, 5, 0.5}, .label_smoothing = 0.2, .inner = inner},
                    with_inner);
}

TEST(Loss, of_mixed_samples_is_the_mixture_of_their_losses) {
    const std::vector<std::int32_t> others{0, 2, 1, 1};
    const std::vector<float> shares{0.75F, 0.25F, 0.5F, 1};
    const auto rows = comm::row_block(std::ssize(labels), world());
    const auto mine = [&](const auto& all) {
        return std::span(all).subspan(static_cast<std::size_t>(rows.first),
                                      static_cast<std::size_t>(rows.count));
    };
    const LossOptions options{.class_weights = {2, 5, 0.5},
                              .label_smoothing = 0.1,
                              .other_labels = mine(others),
                              .shares = mine(shares)};
    // One sample at a time, by its first label and by its second: loss times weight.
    const std::vector<double> weights{2, 5, 0.5};
    double loss = 0, weight = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        if (labels[i] < 0) continue;
        for (const auto& [label, share] :
             {std::pair(labels[i], shares[i]), std::pair(others[i], 1 - shares[i])}) {
            const std::vector<std::int32_t> one{label};
            const double w = weights[static_cast<std::size_t>(label)];
            const auto alone = lose(std::span(logits).subspan(i * 3, 3),
                                    {.class_weights = {2, 5, 0.5}, .label_smoothing = 0.1}, one,
                                    comm::Communicator::self());
            loss += share * w * alone.result.loss;
            weight += share * w;
        }
    }
    const auto mixed = loss_of(logits, options);
    EXPECT_NEAR(mixed.result.loss, loss / weight, 1e-6);
    EXPECT_NEAR(mixed.result.weight, weight, 1e-6);
    EXPECT_EQ(mixed.result.labelled, 3);
    EXPECT_EQ(mixed.result.correct, 2);  // the first two, both class 2 by 0.75

    const auto gradient = world().all_gather(mixed.gradient);
    for (std::size_t i = 0; i < logits.size(); ++i) {
        constexpr float step = 1.0F / 256;
        auto above = logits, below = logits;
        above[i] += step;
        below[i] -= step;
        const double difference =
            (loss_of(above, options).result.loss - loss_of(below, options).result.loss) /
            (2 * step);
        EXPECT_NEAR(gradient[i], difference, 1e-5);
    }
}

TEST(Loss, that_is_not_finite_names_its_samples) {
    auto spoilt = logits;
    spoilt[3] = std::numeric_limits<float>::infinity();   // row 1
    spoilt[7] = std::numeric_limits<float>::quiet_NaN();  // row 2, which does not count
    spoilt[9] = std::numeric_limits<float>::quiet_NaN();  // row 3
    const auto result = loss_of(spoilt, {}).result;
    EXPECT_FALSE(std::isfinite(result.loss));
    const auto first = comm::row_block(std::ssize(labels), world()).first;
    auto rows = result.not_finite;
    for (auto& row : rows) row += first;
    EXPECT_EQ(world().all_gather(rows), (std::vector<std::int64_t>{1, 3}));
}

TEST(Loss, of_no_labels_is_nothing) {
    const auto none = lose({}, {}, {}, world());
    EXPECT_EQ(none.result.loss, 0);
    EXPECT_EQ(none.result.labelled, 0);
}

}  // namespace
}  // namespace nanoatlas::testing
