// What autoencoders are made of: the loss and whole networks against differences, the split of the
// rows, and rows that go to whoever asks.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "base/check.hpp"
#include "nn/initialise.hpp"
#include "reduce/autoencoder/loss.hpp"
#include "reduce/autoencoder/rows.hpp"
#include "reduce/autoencoder/split.hpp"
#include "tests/mpi_test.hpp"
#include "tests/nn/gradient_of_loss.hpp"
#include "tests/reduce/autoencoder_samples.hpp"

namespace nanoatlas::reduce {
namespace {

using testing::random_values, testing::small_ones, testing::block_of, testing::world;

TEST(SquaredError, is_the_mean_over_the_batch_and_its_gradient_agrees_with_differences) {
    auto outputs = random_values(30, 1);
    const auto targets = random_values(30, 2);
    std::vector<float> gradient(30), ignored(30);
    double expected = 0;
    for (std::size_t i = 0; i < 30; ++i)
        expected += std::pow(static_cast<double>(outputs[i]) - targets[i], 2) / 90;
    EXPECT_NEAR(squared_error(outputs, targets, 90, gradient), expected, 1e-12);
    for (std::size_t i = 0; i < 30; ++i) {
        const float before = outputs[i], step = 1.0F / 1024;
        outputs[i] = before + step;
        const double above = squared_error(outputs, targets, 90, ignored), to = outputs[i];
        outputs[i] = before - step;
        const double below = squared_error(outputs, targets, 90, ignored), from = outputs[i];
        outputs[i] = before;
        EXPECT_NEAR(gradient[i], (above - below) / (to - from), 1e-6);
    }
    const auto by_row = squared_errors(outputs, targets, 10);
    ASSERT_EQ(by_row.size(), 3U);
    EXPECT_NEAR(std::accumulate(by_row.begin(), by_row.end(), 0.0) / 90, expected, 1e-12);
    EXPECT_EQ(squared_error({}, {}, 90, {}), 0);
}

/// Autoencoders of both kinds, small.
TEST(AutoencoderGraph, gradients_are_those_of_the_loss) {
    for (const auto& autoencoder : small_ones())
        for (const auto kind : {nn::BackendKind::reference, nn::default_backend()}) {
            const auto graph = graph_of(autoencoder);
            const auto elements = autoencoder.input.elements();
            const auto block = comm::row_block(6, world());
            const auto all = random_values(6 * elements, 3);
            const auto mine =
                std::span(all).subspan(static_cast<std::size_t>(block.first * elements),
                                       static_cast<std::size_t>(block.count * elements));
            nn::Network network(graph, {.batch = 6, .training = true, .backend = kind}, world());
            network.load(nn::initial_tensors(graph, 4));
            const auto loss = [&] {
                return network.train_step(
                    mine,
                    [&](std::span<const float> outputs, std::span<float> gradient) {
                        return world().sum(squared_error(outputs, mine, 6 * elements, gradient));
                    },
                    {});
            };
            testing::expect_gradients_of_loss(network, loss, 1e-5);
        }
}

TEST(AutoencoderGraph, puts_out_what_it_reads_by_way_of_the_code) {
    for (const auto& autoencoder : small_ones()) {
        const auto graph = graph_of(autoencoder);
        EXPECT_EQ(graph.shape(graph.output()), autoencoder.input);
        EXPECT_EQ(graph.shape(graph.features()).elements(), autoencoder.code);
        // Nothing goes past the code.
        EXPECT_TRUE(
            graph.ancestors(graph.output())[static_cast<std::size_t>(graph.features().node)]);
    }
    const auto refusal = [](const Autoencoder& autoencoder) {
        try {
            graph_of(autoencoder);
        } catch (const InputError& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    const nn::Shape columns{9, 1, 1}, picture{1, 24, 24};
    EXPECT_NE(refusal({.input = columns, .code = 0}).find("keeps nothing"), std::string::npos);
    EXPECT_NE(refusal({.input = columns, .code = 9}).find("nothing to learn"), std::string::npos);
    EXPECT_NE(refusal({.input = columns, .hidden = {0}, .code = 2}).find("0 units"),
              std::string::npos);
    EXPECT_EQ(refusal({.input = picture, .hidden = {2, 2, 2}, .code = 2}), "");
    EXPECT_NE(refusal({.input = picture, .hidden = {2, 2, 2, 2}, .code = 2}).find("to 3 numbers"),
              std::string::npos);
    EXPECT_NE(refusal({.input = picture, .hidden = {}, .code = 2}), "");
    EXPECT_EQ(parse_hidden("none"), std::vector<std::int64_t>());
    EXPECT_EQ(parse_hidden("512,128"), (std::vector<std::int64_t>{512, 128}));
    EXPECT_EQ(parse_hidden(hidden_text({3, 2})), (std::vector<std::int64_t>{3, 2}));
    for (const std::string wrong : {"", "3,", "a", "3;2", "-1", "0", "9999999"})
        EXPECT_THROW(parse_hidden(wrong), InputError) << wrong;
}

TEST(Split, each_row_is_in_one_part_and_enough_stay_to_learn_from) {
    for (const std::int64_t rows : {3, 5, 40, 1000})
        for (const double share : {0.0, 0.1, 0.5, 0.99}) {
            const auto split = draw_split(rows, share, 8);
            std::vector<bool> seen(static_cast<std::size_t>(rows));
            for (const auto* part : {&split.trained, &split.held_out})
                for (const auto row : *part) {
                    EXPECT_FALSE(seen[static_cast<std::size_t>(row)]);
                    seen[static_cast<std::size_t>(row)] = true;
                }
            EXPECT_EQ(std::ssize(split.trained) + std::ssize(split.held_out), rows);
            EXPECT_GE(split.trained.size(), 2U);
            EXPECT_EQ(split.held_out.empty(), share == 0);
            EXPECT_TRUE(std::ranges::is_sorted(split.trained));
        }
    EXPECT_EQ(draw_split(1000, 0.1, 8).held_out.size(), 100U);
    EXPECT_NE(draw_split(1000, 0.1, 8).held_out, draw_split(1000, 0.1, 9).held_out);
    EXPECT_THROW(draw_split(1000, 1, 8), InputError);
    EXPECT_THROW(draw_split(1000, -0.1, 8), InputError);
    EXPECT_THROW(draw_split(2, 0.1, 8), InputError);
    EXPECT_THROW(draw_split(1, 0, 8), InputError);
}

TEST(MatrixRows, are_of_one_measure_and_go_to_whoever_asks) {
    std::vector<float> values;
    for (int i = 0; i < 11; ++i)
        values.insert(values.end(), {1e8F, static_cast<float>(i), static_cast<float>(10 * i)});
    auto matrix = block_of(values, 3, world());
    const auto scale = column_scale(matrix, ColumnWeights::equal, world());
    EXPECT_EQ(scale.mean, (std::vector<double>{1e8, 5, 50}));
    EXPECT_EQ(scale.deviation[0], 1);
    EXPECT_NEAR(scale.deviation[1], std::sqrt(10), 1e-6);
    const auto common = column_scale(matrix, ColumnWeights::as_they_are, world());
    EXPECT_EQ(common.mean, scale.mean);
    for (const double value : common.deviation) EXPECT_NEAR(value, std::sqrt(1010.0 / 3), 1e-6);
    const MatrixRows rows(std::move(matrix), scale, world());
    const std::vector<std::int64_t> wanted{10, world().rank() % 11, 3, 10};
    const auto found = rows.fetch(wanted);
    ASSERT_EQ(found.size(), 12U);
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(found[3 * i], 0);
        EXPECT_NEAR(found[3 * i + 1], static_cast<double>(wanted[i] - 5) / std::sqrt(10), 1e-6);
        EXPECT_NEAR(found[3 * i + 1], found[3 * i + 2], 1e-6);
    }
}

/// What a linear autoencoder can reach is known: the subspace of the leading principal components.
/// Baldi, Hornik, Neural Networks 2 (1989) 53.
}  // namespace
}  // namespace nanoatlas::reduce
