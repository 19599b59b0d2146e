// Autoencoders: what is learnt against principal components, and the ranks against one rank.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "base/check.hpp"
#include "base/random.hpp"
#include "nn/initialise.hpp"
#include "reduce/autoencoder/code_frame.hpp"
#include "reduce/autoencoder/comparison.hpp"
#include "reduce/autoencoder/encoding.hpp"
#include "reduce/autoencoder/picture_rows.hpp"
#include "reduce/autoencoder/training.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/mpi_test.hpp"
#include "tests/reduce/autoencoder_samples.hpp"

namespace nanoatlas::reduce {
namespace {

using testing::random_values, testing::small_ones, testing::block_of, testing::world;
using Values = std::vector<double>;

/// Points times a random matrix [inner, columns], with a little noise.
std::vector<float> embedded(const std::vector<std::vector<double>>& points, std::size_t columns) {
    base::Random random(77);
    const auto inner = points[0].size();
    std::vector<double> map(inner * columns);
    for (auto& value : map) value = random.normal();
    std::vector<float> values;
    for (const auto& point : points)
        for (std::size_t j = 0; j < columns; ++j) {
            double sum = 0.01 * random.normal();
            for (std::size_t i = 0; i < inner; ++i) sum += point[i] * map[i * columns + j];
            values.push_back(static_cast<float>(sum));
        }
    return values;
}

/// Rows whose directions differ in variance: 1, 1/2, 1/4, ...
std::vector<float> decaying(std::int64_t rows, std::size_t columns) {
    std::vector<std::vector<double>> points;
    for (std::int64_t i = 0; i < rows; ++i) {
        base::Random random(5, i);
        auto& point = points.emplace_back();
        for (int c = 0; c < 6; ++c) point.push_back(std::pow(0.7, c) * random.normal());
    }
    return embedded(points, columns);
}

/// A sheet rolled up, a surface in three of many directions. Roweis, Saul, Science 290 (2000) 2323.
std::vector<float> swiss_roll(std::int64_t rows, std::size_t columns) {
    std::vector<std::vector<double>> points;
    for (std::int64_t i = 0; i < rows; ++i) {
        base::Random random(6, i);
        const double angle = 1.5 * std::numbers::pi * (1 + random.uniform());
        points.push_back(
            {angle * std::cos(angle) / 8, angle * std::sin(angle) / 8, random.uniform(-1, 1)});
    }
    return embedded(points, columns);
}

struct Learnt {
    Autoencoder autoencoder;
    AutoencoderTraining training;
    Encoded encoded;
    Unexplained of_trained, of_held_out;
};

Learnt learn(const AutoencoderRows& rows, Autoencoder autoencoder, const Split& split,
             const AutoencoderSettings& settings, const comm::Communicator& comm) {
    Learnt learnt;
    autoencoder.input = rows.shape();
    const auto pca = principal_components(rows, split.trained, autoencoder.code, comm);
    learnt.training = train(autoencoder, rows, split, settings, {}, {}, comm);
    set_code_frame(autoencoder, rows, split.trained, settings.precision, settings.backend, comm);
    learnt.encoded = encode(autoencoder, rows, settings.precision, settings.backend, comm);
    learnt.of_trained = unexplained(learnt.encoded, pca, rows, split.trained, comm);
    learnt.of_held_out = unexplained(learnt.encoded, pca, rows, split.held_out, comm);
    learnt.autoencoder = std::move(autoencoder);
    return learnt;
}

Learnt learn_matrix(const std::vector<float>& values, std::int64_t columns,
                    const Autoencoder& autoencoder, double holdout,
                    const AutoencoderSettings& settings, const comm::Communicator& comm = world()) {
    auto matrix = block_of(values, columns, comm);
    const auto scale = column_scale(matrix, ColumnWeights::equal, comm);
    const MatrixRows rows(std::move(matrix), scale, comm);
    return learn(rows, autoencoder, draw_split(rows.block().total, holdout, settings.seed),
                 settings, comm);
}

TEST(LinearAutoencoder, reaches_principal_components) {
    for (const std::int64_t code : {1, 3}) {
        const auto found = learn_matrix(decaying(400, 12), 12, {.code = code}, 0,
                                        {.epochs = 150, .batch = 50, .rate = 0.02});
        EXPECT_LT(found.of_trained.autoencoder, 1.01 * found.of_trained.pca) << code;
        EXPECT_GT(found.of_trained.autoencoder, (1 - 1e-6) * found.of_trained.pca) << code;
        EXPECT_GT(found.of_trained.pca, 0.03) << code;
        EXPECT_EQ(found.training.best, 150);
        // In its frame the code is the scores, sign and all.
        auto matrix = block_of(decaying(400, 12), 12, world());
        const auto scale = column_scale(matrix, ColumnWeights::equal, world());
        const MatrixRows rows(std::move(matrix), scale, world());
        const auto all = draw_split(400, 0, 0).trained;
        const auto pca = principal_components(rows, all, code, world());
        const store::Matrix<float> mine{
            .rows = rows.block(), .columns = 12, .values = rows.own(own_part(all, rows.block()))};
        const auto scores = project(mine, pca, Whiten::off);
        double difference = 0, whole = 0;
        for (std::size_t i = 0; i < scores.values.size(); ++i) {
            difference += std::pow(scores.values[i] - found.encoded.codes.values[i], 2);
            whole += std::pow(scores.values[i], 2);
        }
        EXPECT_LT(world().sum(difference), 0.01 * world().sum(whole));
    }
}

TEST(DenseAutoencoder, follows_a_curved_surface_that_principal_components_cut) {
    const auto found = learn_matrix(swiss_roll(600, 20), 20, {.hidden = {48}, .code = 2}, 0.1,
                                    {.epochs = 100, .batch = 32, .rate = 0.01});
    EXPECT_GT(found.of_held_out.pca, 0.1);
    EXPECT_LT(found.of_held_out.autoencoder, 0.3 * found.of_held_out.pca);
    EXPECT_LT(found.of_trained.autoencoder, 0.3 * found.of_trained.pca);
    // The weights kept are those of the epoch that was best on held-out rows.
    const auto& best = found.training.epochs[static_cast<std::size_t>(found.training.best - 1)];
    for (const auto& epoch : found.training.epochs) EXPECT_GE(epoch.held_out, best.held_out);
}

TEST(CodeFrame, leaves_what_is_put_out_and_orders_columns_without_correlations) {
    for (auto autoencoder : small_ones()) {
        const auto elements = autoencoder.input.elements();
        const auto k = static_cast<std::size_t>(autoencoder.code);
        MatrixRows rows(block_of(random_values(40 * elements, 21), elements, world()),
                        {Values(static_cast<std::size_t>(elements), 0),
                         Values(static_cast<std::size_t>(elements), 1)},
                        world());
        autoencoder.tensors = nn::initial_tensors(graph_of(autoencoder), 22);
        const auto run = [&] {
            return encode(autoencoder, rows, nn::Precision::f32, nn::default_backend(), world());
        };
        const auto before = run();
        set_code_frame(autoencoder, rows, draw_split(40, 0, 0).trained, nn::Precision::f32,
                       nn::default_backend(), world());
        const auto after = run();
        for (std::size_t i = 0; i < before.squared_error.size(); ++i)
            EXPECT_NEAR(after.squared_error[i], before.squared_error[i],
                        1e-4 * before.squared_error[i]);
        Values sums(k), products(k * k);
        for (std::int64_t i = 0; i < after.codes.rows.count; ++i)
            for (std::size_t a = 0; a < k; ++a) {
                sums[a] += after.codes.row(i)[a];
                for (std::size_t b = 0; b < k; ++b)
                    products[a * k + b] +=
                        static_cast<double>(after.codes.row(i)[a]) * after.codes.row(i)[b];
            }
        world().sum(std::span<double>(sums));
        world().sum(std::span<double>(products));
        for (std::size_t a = 0; a < k; ++a) {
            EXPECT_NEAR(sums[a], 0, 1e-3 * std::sqrt(products[0]));
            for (std::size_t b = 0; b < a; ++b)
                EXPECT_NEAR(products[a * k + b], 0, 1e-3 * products[0]);
            EXPECT_LE(products[a * k + a], products[(a == 0 ? 0 : a - 1) * (k + 1)]);
        }
    }
}

/// Up to the signs of axes: of 2 or 3 rows rounding decides which entry is the largest.
void expect_same_codes(const Encoded& part, const Encoded& whole, double tolerance) {
    ASSERT_EQ(std::ssize(part.codes.values), part.codes.rows.count * part.codes.columns);
    for (std::int64_t i = 0; i < part.codes.rows.count; ++i)
        for (std::size_t c = 0; c < static_cast<std::size_t>(part.codes.columns); ++c)
            ASSERT_NEAR(std::abs(part.codes.row(i)[c]),
                        std::abs(whole.codes.row(part.codes.rows.first + i)[c]), tolerance)
                << "row " << i;
}

TEST(DenseAutoencoder, learns_the_same_on_any_number_of_ranks) {
    const auto self = comm::Communicator::self();
    for (const std::int64_t rows : {60, 3}) {  // 3: fewer than ranks
        const auto values = decaying(rows, 9);
        const AutoencoderSettings settings{.epochs = 8, .batch = 7, .rate = 0.01, .noise = 0.1};
        const Autoencoder autoencoder{.hidden = {6}, .code = 2};
        const auto together = learn_matrix(values, 9, autoencoder, 0.2, settings);
        const auto alone = learn_matrix(values, 9, autoencoder, 0.2, settings, self);
        for (std::size_t epoch = 0; epoch < 8; ++epoch) {
            const auto &found = together.training.epochs[epoch],
                       &expected = alone.training.epochs[epoch];
            EXPECT_NEAR(found.trained, expected.trained, 1e-4 * expected.trained);
            EXPECT_NEAR(found.held_out, expected.held_out, 1e-4 * expected.held_out);
        }
        EXPECT_EQ(together.training.best, alone.training.best);
        EXPECT_NEAR(together.of_held_out.autoencoder, alone.of_held_out.autoencoder, 1e-4);
        EXPECT_NEAR(together.of_held_out.pca, alone.of_held_out.pca, 1e-6);
        expect_same_codes(together.encoded, alone.encoded, 2e-3);
        for (const auto& [name, tensor] : together.autoencoder.tensors)
            EXPECT_EQ(world().max(tensor.values[0]), world().min(tensor.values[0])) << name;
    }
}

TEST(DenseAutoencoder, noise_is_taken_out_and_not_learnt) {
    const auto values = decaying(300, 12);
    const AutoencoderSettings plain{.epochs = 40, .batch = 30, .rate = 0.01};
    auto noisy = plain;
    noisy.noise = 1;
    const auto expected = learn_matrix(values, 12, {.code = 3}, 0, plain),
               found = learn_matrix(values, 12, {.code = 3}, 0, noisy);
    // Wiener's filter shrinks what is put out, so rows as they are come out worse.
    EXPECT_GT(found.of_trained.autoencoder, 1.02 * expected.of_trained.autoencoder);
    EXPECT_LT(found.of_trained.autoencoder, 0.5);
}

/// Bright discs on a dark ground: three numbers each.
nn::Images discs(std::int64_t count) {
    constexpr int side = 20;
    std::vector<std::uint8_t> pixels;
    for (std::int64_t n = 0; n < count; ++n) {
        base::Random random(12, n);
        const double x = random.uniform(6, 14), y = random.uniform(6, 14),
                     radius = random.uniform(3, 5);
        for (int row = 0; row < side; ++row)
            for (int column = 0; column < side; ++column)
                pixels.push_back(static_cast<std::uint8_t>(
                    40 + 180 / (1 + std::exp(2 * (std::hypot(row - y, column - x) - radius)))));
    }
    return {std::move(pixels), side, side};
}

Learnt learn_pictures(std::int64_t count, const AutoencoderSettings& settings,
                      const comm::Communicator& comm) {
    const PictureRows rows(discs(count), 16, 0.3, 0.25, comm);
    return learn(rows, {.hidden = {8, 16}, .code = 3}, draw_split(count, 0.1, settings.seed),
                 settings, comm);
}

TEST(ConvolutionalAutoencoder, sees_three_numbers_in_pictures_that_principal_components_blur) {
    const auto found = learn_pictures(300, {.epochs = 60, .batch = 30, .rate = 0.01}, world());
    EXPECT_EQ(found.encoded.codes.columns, 3);
    EXPECT_LT(found.of_held_out.autoencoder, 0.6 * found.of_held_out.pca);
}

TEST(ConvolutionalAutoencoder, learns_the_same_on_any_number_of_ranks) {
    for (const std::int64_t count : {24, 4}) {
        const AutoencoderSettings settings{.epochs = 3, .batch = 12, .rate = 0.003};
        const auto together = learn_pictures(count, settings, world()),
                   alone = learn_pictures(count, settings, comm::Communicator::self());
        for (std::size_t epoch = 0; epoch < 3; ++epoch)
            EXPECT_NEAR(together.training.epochs[epoch].trained,
                        alone.training.epochs[epoch].trained,
                        1e-3 * alone.training.epochs[epoch].trained);
        expect_same_codes(together.encoded, alone.encoded, 2e-2);
    }
}

TEST(Autoencoder, wrong_settings_are_refused_in_words) {
    const auto refusal = [](const AutoencoderSettings& settings) {
        try {
            learn_matrix(decaying(20, 5), 5, {.code = 2}, 0.1, settings);
        } catch (const InputError& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    EXPECT_NE(refusal({.epochs = 0}).find("--epochs 0"), std::string::npos);
    EXPECT_NE(refusal({.batch = 0}).find("--batch 0"), std::string::npos);
    EXPECT_NE(refusal({.rate = 0}).find("--lr 0"), std::string::npos);
    EXPECT_NE(refusal({.noise = -1}).find("--noise -1"), std::string::npos);
    EXPECT_NE(refusal({.rate = 1e30}).find("lower --lr"), std::string::npos);
    EXPECT_THROW(learn_matrix(std::vector<float>(40, 3), 4, {.code = 2}, 0.1, {}), InputError);
}

}  // namespace
}  // namespace nanoatlas::reduce
