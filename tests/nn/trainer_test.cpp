// The trainer on pictures drawn here: it learns, goes on to the bit, and gives the same on any
// number of ranks.
#include "nn/train/trainer.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/check.hpp"
#include "base/random.hpp"
#include "kernels/kokkos/runtime.hpp"
#include "nn/initialise.hpp"
#include "nn/train/head.hpp"
#include "nn/train/start.hpp"
#include "store/provenance.hpp"
#include "tests/mpi_test.hpp"
#include "tests/temporary_folder.hpp"

namespace nanoatlas::nn {
namespace {

using testing::world;

constexpr int side = 16;

/// Pictures of three classes: stripes across, stripes down, and a chessboard; random phase and
/// noise.
std::vector<std::uint8_t> draw_pictures(std::int64_t count) {
    std::vector<std::uint8_t> pixels;
    for (std::int64_t n = 0; n < count; ++n) {
        base::Random random(5, n);
        const auto phase = static_cast<int>(random.below(4));
        for (int y = 0; y < side; ++y)
            for (int x = 0; x < side; ++x) {
                const bool across = (y + phase) / 2 % 2 == 0, down = (x + phase) / 2 % 2 == 0;
                const bool bright = n % 3 == 0 ? across : n % 3 == 1 ? down : across != down;
                pixels.push_back(static_cast<std::uint8_t>((bright ? 170 : 60) + random.below(26)));
            }
    }
    return pixels;
}

Samples samples_between(std::int64_t first, std::int64_t end) {
    Samples samples;
    for (auto row = first; row < end; ++row) {
        samples.rows.push_back(row);
        samples.labels.push_back(static_cast<std::int32_t>(row % 3));
    }
    return samples;
}

Graph small_graph(double dropout) {
    Graph graph({1, side, side});
    auto x = graph.convolution(graph.input(), "conv1", {.channels = 8, .kernel = 3, .padding = 1});
    x = graph.relu(graph.batch_norm(x, "bn1"));
    x = graph.convolution(x, "conv2", {.channels = 16, .kernel = 3, .stride = 2, .padding = 1});
    x = graph.relu(graph.batch_norm(x, "bn2"));
    x = graph.flatten(graph.global_average_pool(x), "pooled");
    graph.set_features(x);
    if (dropout > 0) x = graph.dropout(x, dropout);
    graph.set_output(graph.linear(x, "fc", 3));
    return graph;
}

TrainSettings short_course() {
    TrainSettings settings;
    settings.epochs = 4;
    settings.batch = 10;
    settings.rate = 0.01;
    settings.label_smoothing = 0.1;
    settings.seed = 3;
    return settings;
}

/// 48 pictures to learn from and 21 to validate with.
struct Course {
    kernels::kokkos::Runtime& runtime;
    Images images{draw_pictures(69), side, side};
    ImageInputs inputs{images, side, {0.5}, {0.3}, AugmentationSettings{}, 3};
    ImageInputs plain{images, side, {0.5}, {0.3}, std::nullopt, 3};
    TrainingData data{
        .inputs = inputs, .train = samples_between(0, 48), .validation = samples_between(48, 69)};
    TrainSettings settings = short_course();
};

class Training : public ::testing::Test {
  protected:
    static void SetUpTestSuite() { runtime_ = std::make_unique<kernels::kokkos::Runtime>(1); }
    static void TearDownTestSuite() { runtime_.reset(); }
    Course course_{.runtime = *runtime_};

  private:
    static std::unique_ptr<kernels::kokkos::Runtime> runtime_;
};
std::unique_ptr<kernels::kokkos::Runtime> Training::runtime_;

/// A network for the course on these ranks, with the same weights each time.
Network make_network(const Course& course, const comm::Communicator& comm, double dropout = 0,
                     const std::string& frozen_to = "") {
    const TrainingOrder order(std::ssize(course.data.train.rows), course.settings.batch, 0);
    const auto graph = small_graph(dropout);
    Network network(graph,
                    {.batch = order.most_of_rank(comm.size()),
                     .training = true,
                     .frozen_to = frozen_to,
                     .keep = {}},
                    comm);
    network.load(initial_tensors(graph, 11));
    return network;
}

void expect_equal(const TensorMap& a, const TensorMap& b) {
    ASSERT_EQ(a.size(), b.size());
    for (const auto& [name, tensor] : a) EXPECT_EQ(tensor.values, b.at(name).values) << name;
}

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
            expect_equal(straight.best, resumed.best);
            for (std::size_t i = 0; i < straight.optimizer.size(); ++i)
                expect_equal(straight.optimizer[i], resumed.optimizer[i]);
            EXPECT_EQ(without_times(straight.history), without_times(resumed.history));
        }
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
    const auto graph = small_graph(0);
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

TEST(TrainingOrder, a_step_holds_the_same_samples_on_any_number_of_ranks) {
    for (const std::int64_t samples : {1, 7, 100, 129})
        for (const std::int64_t batch : {1, 8, 200}) {
            TrainingOrder order(samples, batch, 4);
            std::vector<std::int64_t> epoch;
            for (std::int64_t step = 0; step < order.steps(); ++step) {
                const auto whole = order.slice(2, step, 0, 1);
                const std::vector<std::int64_t> expected(whole.begin(), whole.end());
                EXPECT_LE(std::ssize(expected), batch);
                for (const int ranks : {2, 3, 16}) {
                    std::vector<std::int64_t> joined;
                    for (int rank = 0; rank < ranks; ++rank) {
                        const auto slice = order.slice(2, step, rank, ranks);
                        EXPECT_LE(std::ssize(slice), order.most_of_rank(ranks));
                        joined.insert(joined.end(), slice.begin(), slice.end());
                    }
                    EXPECT_EQ(joined, expected);
                }
                epoch.insert(epoch.end(), expected.begin(), expected.end());
            }
            std::sort(epoch.begin(), epoch.end());
            for (std::int64_t i = 0; i < samples; ++i)
                ASSERT_EQ(epoch[static_cast<std::size_t>(i)], i);
        }
    TrainingOrder order(100, 100, 4);
    const auto first = order.slice(0, 0, 0, 1);
    const std::vector<std::int64_t> kept(first.begin(), first.end());
    const auto second = order.slice(1, 0, 0, 1);
    EXPECT_FALSE(std::equal(second.begin(), second.end(), kept.begin()));
}

/// Rows dealt out in turn: row 3 without a label, rows 5 and 6 for testing.
store::CorpusRows deal_rows(std::int64_t count, store::CorpusTable& known) {
    store::CorpusRows rows;
    rows.height = 5;
    rows.width = 4;
    known.classes = {"a", "b"};
    for (std::int64_t row = 0; row < count; ++row) {
        known.label.push_back(row == 3 ? -1 : static_cast<std::int32_t>(row % 2));
        known.group.push_back(row);
        known.duplicate_of.push_back(-1);
        known.part.push_back(row < 5 ? store::Part::train : store::Part::test);
        if (row % world().size() != world().rank()) continue;
        rows.row.push_back(row);
        for (int i = 0; i < 20; ++i) rows.images.push_back(static_cast<std::uint8_t>(20 * row + i));
        rows.path.push_back("image" + std::to_string(row));
        rows.checksum.push_back(0);
        rows.pixel_size.push_back(1e-9);
        rows.scale.push_back({1, 1});
        rows.metadata.emplace_back("{}");
    }
    return rows;
}

TEST(Images, are_those_of_the_corpus_on_every_rank) {
    const testing::TemporaryFolder folder;
    base::OptionTable table("ingest", "test");
    const store::Provenance provenance(table, world());
    store::CorpusTable known;
    const auto rows = deal_rows(7, known);
    store::write_corpus(folder / "corpus.h5", rows, known, provenance, world());

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
