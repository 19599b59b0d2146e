// What a training may do beside plain steps: each against what it is defined to be, and the same
// on any number of ranks.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/check.hpp"
#include "base/stopwatch.hpp"
#include "nn/train/rate_test.hpp"
#include "tests/nn/small_course.hpp"

namespace nanoatlas::testing {
namespace {

class TrainingFeatures : public TrainingCourse {};

/// The course's network without norms: what a sample gives does not depend on its companions.
Graph plain_graph() {
    Graph graph({1, side, side});
    auto x = graph.convolution(graph.input(), "conv1",
                               {.channels = 8, .kernel = 3, .stride = 2, .bias = true});
    x = graph.convolution(graph.relu(x), "conv2",
                          {.channels = 16, .kernel = 3, .stride = 2, .bias = true});
    x = graph.flatten(graph.global_average_pool(graph.relu(x)), "pooled");
    graph.set_output(graph.linear(x, "fc", 3));
    return graph;
}

TensorMap tensors_after(const Course& course, const comm::Communicator& comm,
                        const Graph& graph = plain_graph()) {
    auto network = make_network(course, comm, graph);
    Trainer trainer(network, course.data, course.settings, comm);
    return trainer.run({}).tensors;
}

void expect_near(const TensorMap& a, const TensorMap& b, double tolerance) {
    ASSERT_EQ(a.size(), b.size());
    for (const auto& [name, tensor] : a)
        for (std::size_t i = 0; i < tensor.values.size(); ++i)
            ASSERT_NEAR(tensor.values[i], b.at(name).values[i], tolerance) << name << " " << i;
}

TEST_F(TrainingFeatures, are_the_same_on_any_number_of_ranks) {
    course_.settings.epochs = 2;
    course_.settings.optimizer.kind = OptimizerKind::sgd;
    std::vector<TrainSettings> all(7, course_.settings);
    all[0].accumulate = 3;
    all[1].sampling = Sampling::balanced;
    all[2].mixup = 0.5;
    all[3].average = 0.8;
    all[4].optimizer.clip = 0.1;
    all[5].layer_decay = 0.5;
    all[6].mixup = 0.2;
    all[6].accumulate = 2;
    all[6].class_weights = {1, 2, 0.5};
    for (const auto& settings : all) {
        course_.settings = settings;
        expect_near(tensors_after(course_, world()),
                    tensors_after(course_, comm::Communicator::self()), 1e-5);
    }
}

TEST_F(TrainingFeatures, passes_of_a_step_give_the_step) {
    course_.settings.epochs = 1;
    course_.settings.optimizer.kind = OptimizerKind::sgd;
    course_.settings.class_weights = {1, 3, 0.25};
    const auto at_once = tensors_after(course_, world());
    for (const std::int64_t passes : {2, 3, 10}) {
        course_.settings.accumulate = passes;
        expect_near(tensors_after(course_, world()), at_once, 1e-5);
    }
}

TEST_F(TrainingFeatures, a_decay_of_layers_slows_those_before_the_head) {
    auto& settings = course_.settings;
    settings.epochs = 1;
    settings.batch = 48;
    settings.warmup = 0;
    settings.weight_decay = 0;
    settings.optimizer.kind = OptimizerKind::sgd;
    const auto graph = plain_graph();
    const auto start = initial_tensors(graph, 11);
    const auto usual = tensors_after(course_, world());
    settings.layer_decay = 0.25;
    const auto decayed = tensors_after(course_, world());
    const double factors[] = {1.0 / 16, 1.0 / 4, 1};
    const char* const names[] = {"conv1.weight", "conv2.weight", "fc.weight"};
    for (int i = 0; i < 3; ++i) {
        const auto& from = start.at(names[i]).values;
        for (std::size_t k = 0; k < from.size(); ++k)
            ASSERT_NEAR(decayed.at(names[i]).values[k] - from[k],
                        factors[i] * (usual.at(names[i]).values[k] - from[k]), 1e-6);
    }
}

TEST_F(TrainingFeatures, the_average_is_evaluated_and_kept) {
    auto& settings = course_.settings;
    settings.epochs = 3;
    settings.choice = Choice::last;
    const auto graph = course_graph(0);
    // The plain weights after each step, averaged here.
    auto average = initial_tensors(graph, 11);
    {
        auto network = make_network(course_, world(), graph);
        StepTaker steps(network, course_.data, settings, world());
        const auto total = settings.epochs * steps.order().steps();
        for (std::int64_t t = 1; t <= total; ++t) {
            const Schedule schedule{
                .peak = settings.rate,
                .warmup = static_cast<std::int64_t>(settings.warmup * static_cast<double>(total)),
                .total = total};
            const auto an_epoch = steps.order().steps();
            steps.take((t - 1) / an_epoch, (t - 1) % an_epoch, learning_rate(schedule, t - 1));
            const double part =
                1 - std::min(0.6, (1.0 + static_cast<double>(t)) / (10.0 + static_cast<double>(t)));
            for (const auto& [name, tensor] : network.tensors())
                for (std::size_t i = 0; i < tensor.values.size(); ++i) {
                    auto& value = average.at(name).values[i];
                    value += static_cast<float>(part) * (tensor.values[i] - value);
                }
        }
    }
    settings.average = 0.6;
    auto network = make_network(course_, world(), graph);
    Trainer trainer(network, course_.data, settings, world());
    std::string last_line;
    const auto result =
        trainer.run({.epoch_done = [&](const std::string& line) { last_line = line; }});
    expect_near(result.tensors, average, 1e-5);
    const auto raw = network.tensors();
    EXPECT_NE(raw.at("bn1.running_mean").values, result.tensors.at("bn1.running_mean").values);

    network.load(result.tensors);
    const TrainingOrder order(course_.data.train.labels, settings.order());
    const auto most = order.most_of_rank(world().size());
    const auto judged = compute_metrics(
        judge_samples(network, most, course_.inputs, course_.data.validation, world()), 3);
    EXPECT_NEAR(nlohmann::json::parse(last_line)["validation"]["loss"].get<double>(), judged.loss,
                1e-6);
}

TEST_F(TrainingFeatures, training_ends_when_it_gets_no_better) {
    auto& settings = course_.settings;
    settings.epochs = 20;
    settings.rate = 1e-30;  // nothing changes, so the first epoch stays the best
    settings.weight_decay = 0;
    settings.patience = 3;
    settings.keep_best = 2;
    auto network = make_network(course_, world(), plain_graph());
    Trainer trainer(network, course_.data, settings, world());
    std::int64_t epochs = 0;
    const auto result = trainer.run({.epoch_done = [&](const std::string&) { ++epochs; }});
    EXPECT_EQ(epochs, 4);
    EXPECT_EQ(result.epoch, 1);
    ASSERT_EQ(result.best.size(), 2U);
    EXPECT_EQ(result.best[1].epoch, 1);
    EXPECT_EQ(result.runners_up.size(), 1U);
}

TEST_F(TrainingFeatures, gradients_longer_than_allowed_are_shortened) {
    auto& settings = course_.settings;
    settings.epochs = 1;
    settings.batch = 48;
    settings.warmup = 0;
    settings.weight_decay = 0;
    settings.optimizer.clip = 1e-3;
    settings.rate = 1;
    settings.optimizer.kind = OptimizerKind::sgd;
    const auto start = initial_tensors(plain_graph(), 11), end = tensors_after(course_, world());
    double squares = 0;
    for (const auto& [name, tensor] : start)
        for (std::size_t i = 0; i < tensor.values.size(); ++i)
            squares += std::pow(end.at(name).values[i] - tensor.values[i], 2);
    EXPECT_NEAR(std::sqrt(squares), 1e-3, 1e-5);
}

/// Values that are no numbers for one row.
class SpoiltInputs : public Inputs {
  public:
    SpoiltInputs(const Inputs& inputs, std::int64_t row) : inputs_(inputs), row_(row) {}
    std::int64_t elements() const override { return inputs_.elements(); }
    std::vector<float> plain(std::span<const std::int64_t> rows) const override {
        return inputs_.plain(rows);
    }
    std::vector<float> varied(std::span<const Variation> variations) const override {
        auto values = inputs_.varied(variations);
        for (std::size_t i = 0; i < variations.size(); ++i)
            if (variations[i].row == row_)
                values[i * static_cast<std::size_t>(elements())] =
                    std::numeric_limits<float>::quiet_NaN();
        return values;
    }

  private:
    const Inputs& inputs_;
    std::int64_t row_;
};

TEST_F(TrainingFeatures, a_loss_that_is_no_number_names_step_rank_and_samples) {
    const SpoiltInputs inputs(course_.inputs, 17);
    const TrainingData data{inputs, course_.data.train, course_.data.validation,
                            [](std::int64_t row) { return fmt::format("row {} 'x.tif'", row); }};
    TrainingOrder order(data.train.labels, course_.settings.order());
    std::int64_t step = 0;  // in which row 17 comes, and the rank that has it
    int rank = -1;
    for (; rank < 0; ++step) {
        const auto draws = order.draws({0, step, 0});
        for (std::size_t i = 0; i < draws.size(); ++i)
            if (draws[i].sample == 17)
                rank = comm::BlockDistribution(std::ssize(draws), world().size())
                           .owner(static_cast<std::int64_t>(i));
    }
    // With batch norms all losses are lost, so it is the values that tell. (Without them, a ReLU
    // would make nothing of the value.)
    Graph linear({1, side, side});
    linear.set_output(linear.linear(linear.flatten(linear.input()), "fc", 3));
    for (const auto& graph : {linear, course_graph(0)}) {
        auto network = make_network(course_, world(), graph);
        Trainer trainer(network, data, course_.settings, world());
        try {
            trainer.run({});
            FAIL() << "the loss stayed finite";
        } catch (const LossNotFinite& error) {
            const std::string text = error.what();
            EXPECT_NE(text.find(fmt::format("epoch 1, step {}", step)), std::string::npos) << text;
            EXPECT_NE(text.find(fmt::format("rank {}: row 17 'x.tif' (", rank)), std::string::npos)
                << text;
        }
    }
}

TEST_F(TrainingFeatures, a_run_stops_before_its_time_limit) {
    course_.settings.epochs = 1000;
    auto network = make_network(course_, world());
    Trainer trainer(network, course_.data, course_.settings, world());
    const double limit = base::process_watch.seconds() + 3;
    std::int64_t saved_step = -1;
    EXPECT_THROW(
        trainer.run({.time_limit = limit,
                     .save = [&](const TrainingState& state) { saved_step = state.step; }}),
        StoppedOnRequest);
    EXPECT_LT(base::process_watch.seconds(), limit);
    EXPECT_GE(saved_step, 0);
    // A limit that has passed still leaves a step, so that a run gets on each time.
    EXPECT_THROW(trainer.run({.time_limit = 1e-9}), StoppedOnRequest);
}

TEST_F(TrainingFeatures, a_test_of_rates_ends_when_the_loss_diverges) {
    auto network = make_network(course_, world(), plain_graph());
    course_.settings.optimizer.kind = OptimizerKind::sgd;
    StepTaker steps(network, course_.data, course_.settings, world());
    const auto test = run_rate_test(steps, {.steps = 60, .lowest = 1e-4, .highest = 1e8});
    EXPECT_LT(test.rates.size(), 60U);
    EXPECT_GT(test.rates.size(), 10U);
    EXPECT_EQ(world().max(test.rates.size()), test.rates.size());
    ASSERT_TRUE(test.suggestion);
    EXPECT_GT(*test.suggestion, 1e-4);
    EXPECT_LT(*test.suggestion, 1e3);
}

}  // namespace
}  // namespace nanoatlas::testing
