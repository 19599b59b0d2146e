// The trainer on pictures drawn here: it learns, goes on to the bit, and gives the same on any
// number of ranks.
#include "nn/train/trainer.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/check.hpp"
#include "nn/train/head.hpp"
#include "nn/train/start.hpp"
#include "store/provenance.hpp"
#include "tests/nn/small_course.hpp"
#include "tests/small_corpus.hpp"
#include "tests/temporary_folder.hpp"

namespace nanoatlas::nn {
namespace {

using namespace testing;

class Training : public testing::TrainingCourse {};

std::vector<nlohmann::json> without_times(const std::vector<std::string>& history) {
    std::vector<nlohmann::json> lines;
    for (const auto& line : history) {
        lines.push_back(nlohmann::json::parse(line));
        lines.back().erase("seconds");
        lines.back().erase("images_per_second");
    }
    return lines;
}

TEST_F(Training, learns_to_tell_the_pictures_apart) {
    // Without augmentation: a quarter turn makes stripes across of those down.
    const TrainingData data{course_.plain, course_.data.train, course_.data.validation};
    course_.settings.epochs = 12;
    auto network = make_network(course_, world());
    Trainer trainer(network, data, course_.settings, world());
    const auto result = trainer.run({});
    ASSERT_TRUE(result.validation_accuracy);
    EXPECT_GT(*result.validation_accuracy, 0.9);
}

TEST_F(Training, loss_is_the_same_as_on_one_rank) {
    course_.settings.epochs = 1;
    const auto losses = [&](const comm::Communicator& comm) {
        std::vector<std::string> lines;
        auto network = make_network(course_, comm);
        Trainer trainer(network, course_.data, course_.settings, comm);
        trainer.run({.epoch_done = [&](const std::string& line) { lines.push_back(line); }});
        return nlohmann::json::parse(lines.at(0));
    };
    const auto together = losses(world()), alone = losses(comm::Communicator::self());
    EXPECT_NEAR(together["loss"].get<double>(), alone["loss"].get<double>(), 1e-4);
    EXPECT_NEAR(together["validation"]["loss"].get<double>(),
                alone["validation"]["loss"].get<double>(), 2e-3);
}

/// Trains to the end in one go, or with a stop after `stop_after` steps, a checkpoint on disk, and
/// new objects that go on from it.
TrainingState train_with_stop(const Course& course, std::int64_t stop_after) {
    const testing::TemporaryFolder folder;
    base::OptionTable table("train", "test");
    const store::Provenance provenance(table, world());
    const TrainingSettingsText text = {{"seed", "3"}};
    TrainingState last;
    std::int64_t steps = 0;
    TrainingHooks hooks{.stop = [&] { return ++steps == stop_after; },
                        .save =
                            [&](const TrainingState& state) {
                                write_checkpoint(folder / ".", state, text, provenance, world());
                                last = state;
                            }};
    {
        auto network = make_network(course, world(), 0.3);
        Trainer trainer(network, course.data, course.settings, world());
        if (stop_after == 0) {
            trainer.run(hooks);
            return last;
        }
        EXPECT_THROW(trainer.run(hooks), StoppedOnRequest);
    }
    auto state = read_checkpoint(folder / ".", text, world());
    EXPECT_TRUE(state.has_value());
    auto network = make_network(course, world(), 0.3);
    Trainer trainer(network, course.data, course.settings, world());
    trainer.resume(*state);
    trainer.run(hooks);
    return last;
}

TEST_F(Training, resumes_to_the_bit) {
    for (const auto kind : {OptimizerKind::sgd, OptimizerKind::adamw}) {
        course_.settings.optimizer.kind = kind;
        const auto straight = train_with_stop(course_, 0);
        // 5 steps an epoch: after two whole epochs, and in the middle of the third.
        for (const std::int64_t stop_after : {10, 13}) {
            const auto resumed = train_with_stop(course_, stop_after);
            expect_equal(straight.tensors, resumed.tensors);
            expect_equal(straight.best.at(0).tensors, resumed.best.at(0).tensors);
            EXPECT_EQ(straight.best[0].score.epoch, resumed.best[0].score.epoch);
            for (std::size_t i = 0; i < straight.optimizer.size(); ++i)
                expect_equal(straight.optimizer[i], resumed.optimizer[i]);
            EXPECT_EQ(without_times(straight.history), without_times(resumed.history));
        }
    }
}

TEST_F(Training, resumes_to_the_bit_with_all_that_training_can_do) {
    auto& settings = course_.settings;
    settings.accumulate = 2;
    settings.sampling = Sampling::balanced;
    settings.mixup = 0.4;
    settings.average = 0.9;
    settings.optimizer.clip = 0.5;
    settings.layer_decay = 0.7;
    settings.keep_best = 3;
    settings.patience = 2;
    const auto straight = train_with_stop(course_, 0), resumed = train_with_stop(course_, 8);
    expect_equal(straight.tensors, resumed.tensors);
    expect_equal(straight.average, resumed.average);
    EXPECT_EQ(without_times(straight.history), without_times(resumed.history));
    ASSERT_EQ(straight.best.size(), resumed.best.size());
    for (std::size_t i = 0; i < straight.best.size(); ++i) {
        EXPECT_EQ(straight.best[i].score.epoch, resumed.best[i].score.epoch);
        EXPECT_EQ(straight.best[i].score.loss, resumed.best[i].score.loss);
        expect_equal(straight.best[i].tensors, resumed.best[i].tensors);
    }
}

TEST_F(Training, a_state_of_other_settings_is_refused) {
    const testing::TemporaryFolder folder;
    base::OptionTable table("train", "test");
    const store::Provenance provenance(table, world());
    EXPECT_FALSE(read_checkpoint(folder / ".", {}, world()));
    write_checkpoint(folder / ".", {}, {{"seed", "3"}, {"batch", "8"}}, provenance, world());
    try {
        read_checkpoint(folder / ".", {{"seed", "3"}, {"batch", "16"}}, world());
        FAIL() << "taken";
    } catch (const InputError& error) {
        EXPECT_NE(std::string(error.what()).find("batch = 16"), std::string::npos) << error.what();
    }
}

TEST_F(Training, fewer_samples_than_ranks_in_a_step) {
    course_.settings.batch = 2;
    course_.settings.epochs = 1;
    auto network = make_network(course_, world());
    Trainer trainer(network, course_.data, course_.settings, world());
    EXPECT_EQ(trainer.run({}).epoch, 1);
}

TEST_F(Training, runaway_steps_are_told_with_epoch_and_step) {
    course_.settings.rate = 1e30;
    course_.settings.optimizer.kind = OptimizerKind::sgd;
    auto network = make_network(course_, world());
    Trainer trainer(network, course_.data, course_.settings, world());
    try {
        trainer.run({});
        FAIL() << "the loss stayed finite";
    } catch (const InputError& error) {
        EXPECT_NE(std::string(error.what()).find("step "), std::string::npos) << error.what();
        EXPECT_NE(std::string(error.what()).find("--lr"), std::string::npos) << error.what();
    }
}

TEST_F(Training, frozen_layers_keep_their_bits) {
    auto network = make_network(course_, world(), 0, "bn1");
    const auto before = network.tensors();
    Trainer trainer(network, course_.data, course_.settings, world());
    trainer.run({});
    const auto after = network.tensors();
    for (const auto* name : {"conv1.weight", "bn1.weight", "bn1.bias", "bn1.running_mean"})
        EXPECT_EQ(before.at(name).values, after.at(name).values) << name;
    for (const auto* name : {"conv2.weight", "bn2.running_mean", "fc.weight"})
        EXPECT_NE(before.at(name).values, after.at(name).values) << name;
}

TEST_F(Training, the_head_alone_on_features_learns_what_it_learns_in_the_whole_network) {
    const TrainingData data{course_.plain, course_.data.train, course_.data.validation};
    const auto graph = course_graph(0);
    auto whole = make_network(course_, world(), 0, "pooled");
    Trainer trainer(whole, data, course_.settings, world());
    const auto expected = trainer.run({}).tensors.at("fc.weight").values;

    const auto head = head_of(graph);
    ASSERT_TRUE(head);
    auto rows = data.train.rows;
    rows.insert(rows.end(), data.validation.rows.begin(), data.validation.rows.end());
    const auto features = compute_features(graph, initial_tensors(graph, 11), {.batch = 8},
                                           course_.plain, rows, 69, world());
    EXPECT_EQ(features.elements(), 16);
    const TrainingData of_head{features, data.train, data.validation};
    Network network(*head, {.batch = 10, .training = true}, world());
    network.load(initial_tensors(graph, 11));
    Trainer head_trainer(network, of_head, course_.settings, world());
    const auto got = head_trainer.run({}).tensors.at("fc.weight").values;
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-3) << i;
}

TEST(Head, is_nothing_where_the_output_needs_more_than_the_features) {
    Graph graph({1, 8, 8});
    const auto x = graph.convolution(graph.input(), "conv", {.channels = 4});
    graph.set_features(graph.flatten(graph.global_average_pool(x), "pooled"));
    graph.set_output(graph.flatten(graph.global_average_pool(graph.relu(x))));
    EXPECT_FALSE(head_of(graph));
}

TEST(Images, are_those_of_the_corpus_on_every_rank) {
    const testing::TemporaryFolder folder;
    // Row 3 without a label, rows 5 and 6 for testing.
    const auto image_of = [](std::int64_t i) {
        SmallCorpusRow image{.label = i == 3 ? -1 : static_cast<std::int32_t>(i % 2),
                             .part = i < 5 ? store::Part::train : store::Part::test};
        for (int pixel = 0; pixel < 20; ++pixel)
            image.pixels.push_back(static_cast<std::uint8_t>(20 * i + pixel));
        return image;
    };
    write_small_corpus(
        folder / "corpus.h5",
        {.height = 5, .width = 4, .classes = {"a", "b"}, .rows = 7, .row = image_of});

    const store::CorpusReader corpus(folder / "corpus.h5");
    Images images(corpus);
    const Images moved = std::move(images);
    ASSERT_EQ(moved.count(), 7);
    for (std::int64_t row = 0; row < 7; ++row)
        for (int i = 0; i < 20; ++i) EXPECT_EQ(moved.row(row)[i], 20 * row + i);
    const auto samples = labelled_samples(corpus, store::Part::train);
    EXPECT_EQ(samples.rows, (std::vector<std::int64_t>{0, 1, 2, 4}));
    EXPECT_EQ(samples.labels, (std::vector<std::int32_t>{0, 1, 0, 0}));
}

TEST(Start, statistics_and_weights_are_exact) {
    const Images images({0, 255, 255, 0, 51, 51, 51, 51}, 2, 2);
    const std::vector<std::int64_t> rows = {0, 1};
    const auto statistics = pixel_statistics(images, rows, world());
    EXPECT_NEAR(statistics.mean, 0.35, 1e-12);
    EXPECT_NEAR(statistics.std, std::sqrt(0.27 - 0.35 * 0.35), 1e-12);
    const auto weights = balanced_weights({.rows = {0, 1, 2, 3}, .labels = {0, 0, 0, 2}}, 3);
    EXPECT_FLOAT_EQ(weights[0], 4.0F / 6);
    EXPECT_FLOAT_EQ(weights[1], 0);
    EXPECT_FLOAT_EQ(weights[2], 2);
}

}  // namespace
}  // namespace nanoatlas::nn
