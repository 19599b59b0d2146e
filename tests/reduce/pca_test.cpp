#include "reduce/pca.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/check.hpp"
#include "base/random.hpp"
#include "kernels/reference/pca.hpp"
#include "reduce/scatter.hpp"
#include "store/npy.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/mpi_test.hpp"
#include "tests/shared_data.hpp"
#include "tests/temporary_folder.hpp"

namespace nanoatlas::reduce {
namespace {

using Matrix = store::Matrix<float>;
using testing::world;

std::vector<float> random_values(std::int64_t rows, std::int64_t columns, double offset, int seed) {
    std::vector<float> values;
    for (std::int64_t i = 0; i < rows; ++i) {
        base::Random random(20, seed, i);
        const double common = random.normal();
        for (std::int64_t j = 0; j < columns; ++j)
            values.push_back(static_cast<float>(offset + common / static_cast<double>(1 + j) +
                                                0.3 * random.normal()));
    }
    return values;
}

Matrix block_of(const std::vector<float>& values, std::int64_t columns,
                const comm::Communicator& comm) {
    const auto rows = comm::row_block(static_cast<std::int64_t>(values.size()) / columns, comm);
    return {
        .rows = rows,
        .columns = columns,
        .values = {values.begin() + rows.first * columns, values.begin() + rows.end() * columns}};
}

Pca fit(const std::vector<float>& values, std::int64_t columns, const std::string& components,
        const comm::Communicator& comm = world()) {
    return fit_pca(block_of(values, columns, comm), {.components = components}, comm);
}

struct Shape {
    std::int64_t rows, columns;
};
const std::vector<Shape> shapes{{2, 1}, {2, 9}, {3, 2}, {40, 7}, {70, 130}, {1025, 20}, {3000, 33}};

TEST(Scatter, agrees_with_reference_and_is_the_same_to_the_bit_on_one_rank) {
    const auto self = comm::Communicator::self();
    int seed = 0;
    for (const auto& [rows, columns] : shapes)
        for (const double offset : {0.0, 1000.0}) {
            const auto values = random_values(rows, columns, offset, ++seed);
            const auto here = block_of(values, columns, world()),
                       whole = block_of(values, columns, self);
            const RowTiles tiles(here, world()), tiles_alone(whole, self);
            const auto means = column_means(tiles, world());
            const auto means_alone = column_means(tiles_alone, self);
            ASSERT_EQ(means.mean, means_alone.mean);
            ASSERT_EQ(means.largest_deviation, means_alone.largest_deviation);
            const auto packed = scatter_matrix<float>(tiles, means, world());
            ASSERT_EQ(packed.lower, scatter_matrix<float>(tiles_alone, means_alone, self).lower);
            const auto scatter = packed.whole();
            double trace = 0, squares = 0;
            for (std::int64_t i = 0; i < columns; ++i)
                trace += scatter[static_cast<std::size_t>(i * (columns + 1))];
            for (const auto value : scatter) squares += value * value;
            EXPECT_DOUBLE_EQ(packed.trace(), trace);
            EXPECT_NEAR(packed.sum_of_squares(), squares, 1e-13 * squares);
            const auto expected = kernels::reference::scatter(values, rows, columns);
            double largest = 0;
            for (const auto value : expected) largest = std::max(largest, std::abs(value));
            for (std::size_t i = 0; i < expected.size(); ++i)
                ASSERT_NEAR(scatter[i], expected[i], 1e-6 * largest) << rows << " x " << columns;
        }
}

TEST(Pca, agrees_with_reference_on_random_shapes) {
    int seed = 100;
    for (const auto& [rows, columns] : shapes) {
        const auto values = random_values(rows, columns, 3, ++seed);
        const auto k = std::min<std::int64_t>({rows - 1, columns, 5});
        const auto pca = fit(values, columns, std::to_string(k));
        const auto expected =
            kernels::reference::eigen(kernels::reference::scatter(values, rows, columns), columns);
        double trace = 0;
        for (const auto value : expected.values) trace += value;
        ASSERT_EQ(pca.count(), k);
        for (std::size_t c = 0; c < static_cast<std::size_t>(k); ++c) {
            const double variance = expected.values[c] / static_cast<double>(rows - 1);
            EXPECT_NEAR(pca.explained_variance[c], variance, 1e-6 * expected.values[0]);
            EXPECT_NEAR(pca.explained_variance_ratio[c], expected.values[c] / trace, 1e-6);
            double largest = 0;
            for (std::int64_t j = 0; j < columns; ++j) {
                const double value = pca.components[c * static_cast<std::size_t>(columns) +
                                                    static_cast<std::size_t>(j)];
                if (std::abs(value) > std::abs(largest)) largest = value;
            }
            EXPECT_GT(largest, 0);
        }
        // The first component stands well apart in this data.
        double product = 0;
        for (std::size_t j = 0; j < static_cast<std::size_t>(columns); ++j)
            product += pca.components[j] * expected.vectors[j];
        EXPECT_NEAR(std::abs(product), 1, 1e-5) << rows << " x " << columns;
    }
}

TEST(Pca, projection_has_the_explained_variance_and_whitening_makes_it_one) {
    const auto values = random_values(500, 30, -7, 200);
    const auto matrix = block_of(values, 30, world());
    const auto pca = fit(values, 30, "4");
    for (const auto whiten : {Whiten::off, Whiten::on}) {
        const auto embedding = project(matrix, pca, whiten);
        ASSERT_EQ(embedding.columns, 4);
        std::vector<double> sums(4), squares(4);
        for (std::int64_t i = 0; i < embedding.rows.count; ++i)
            for (std::size_t c = 0; c < 4; ++c) {
                sums[c] += embedding.row(i)[c];
                squares[c] += static_cast<double>(embedding.row(i)[c]) * embedding.row(i)[c];
            }
        world().sum(std::span<double>(sums));
        world().sum(std::span<double>(squares));
        for (std::size_t c = 0; c < 4; ++c) {
            const double expected = whiten == Whiten::on ? 1 : pca.explained_variance[c];
            EXPECT_NEAR(sums[c] / 500, 0, 1e-5);
            EXPECT_NEAR(squares[c] / 499, expected, 1e-5 * expected);
        }
    }
}

TEST(Pca, wide_matrices_go_by_the_products_of_their_rows) {
    // 5,000 columns, of which the last 4,700 are 0: the same components as of the first 300.
    const auto narrow = random_values(60, 300, 1, 300);
    std::vector<float> wide(60 * 5000);
    for (std::size_t i = 0; i < 60; ++i)
        std::copy_n(narrow.begin() + static_cast<std::ptrdiff_t>(i * 300), 300,
                    wide.begin() + static_cast<std::ptrdiff_t>(i * 5000));
    const auto expected = fit(narrow, 300, "6"), pca = fit(wide, 5000, "6");
    for (std::size_t c = 0; c < 6; ++c) {
        EXPECT_NEAR(pca.explained_variance[c], expected.explained_variance[c],
                    1e-6 * expected.explained_variance[0]);
        EXPECT_NEAR(pca.explained_variance_ratio[c], expected.explained_variance_ratio[c], 1e-6);
        for (std::size_t j = 0; j < 300; ++j)
            ASSERT_NEAR(pca.components[c * 5000 + j], expected.components[c * 300 + j], 1e-4);
    }
}

TEST(Pca, a_share_of_the_variance_picks_the_fewest_components) {
    const auto values = random_values(300, 12, 0, 400);
    const auto all = fit(values, 12, "12");
    for (const double share : {0.1, 0.5, 0.9, 0.99}) {
        const auto some = fit(values, 12, fmt::format("{}", share));
        double sum = 0;
        for (std::int64_t c = 0; c + 1 < some.count(); ++c)
            sum += all.explained_variance_ratio[static_cast<std::size_t>(c)];
        EXPECT_LE(sum, share);
        EXPECT_GT(sum + some.explained_variance_ratio.back(), share);
    }
}

TEST(Pca, the_embedding_does_not_depend_on_the_ranks) {
    const auto self = comm::Communicator::self();
    const auto values = random_values(2500, 40, 5, 500);
    const auto alone = fit(values, 40, "10", self), together = fit(values, 40, "10");
    ASSERT_EQ(alone.components, together.components);
    ASSERT_EQ(alone.explained_variance_ratio, together.explained_variance_ratio);
    const auto whole = project(block_of(values, 40, self), alone, Whiten::off);
    const auto part = project(block_of(values, 40, world()), together, Whiten::off);
    for (std::int64_t i = 0; i < part.rows.count; ++i)
        for (std::size_t c = 0; c < 10; ++c)
            ASSERT_EQ(part.row(i)[c], whole.row(part.rows.first + i)[c]);
}

TEST(Pca, rows_that_stay_in_their_file_give_the_same_bits) {
    const testing::TemporaryFolder folder;
    const auto path = folder / "rows.npy";
    for (const auto& [rows, columns] :
         std::vector<Shape>{{3, 2}, {1023, 9}, {4100, 33}, {40, 5000}}) {
        const auto values = random_values(rows, columns, 5, 700);
        const auto matrix = block_of(values, columns, world());
        store::write_plain_table(path, matrix, world());
        const store::MatrixFile file(path, world());
        const auto expected = fit_pca(matrix, {.components = "2"}, world());
        const auto pca = fit_and_project(file, {.components = "2"}, Whiten::off, world()).pca;
        ASSERT_EQ(pca.mean, expected.mean);
        ASSERT_EQ(pca.components, expected.components);
        ASSERT_EQ(pca.explained_variance, expected.explained_variance);
        ASSERT_EQ(pca.squared_covariance, expected.squared_covariance);
        for (const auto whiten : {Whiten::off, Whiten::on}) {
            const auto embedding = project(file, pca, whiten, world());
            ASSERT_EQ(embedding.values, project(matrix, pca, whiten).values);
            EXPECT_EQ(embedding.rows.first, matrix.rows.first);
            const auto once = fit_and_project(file, {.components = "2"}, whiten, world());
            ASSERT_EQ(once.pca.components, pca.components);
            ASSERT_EQ(once.pca.explained_variance, pca.explained_variance);
            ASSERT_EQ(once.embedding.values, embedding.values);
            ASSERT_EQ(
                fit_and_project(matrix, {.components = "2"}, whiten, world()).embedding.values,
                embedding.values);
        }
    }
}

/// A figure of this process in kB: VmRSS, what it holds; VmHWM, the most it held.
double memory_kb(const std::string& name) {
    std::ifstream file("/proc/self/status");
    double kilobytes = 0;
    for (std::string word; file >> word && word != name + ":";) std::getline(file, word);
    file >> kilobytes;
    return kilobytes;
}

TEST(Pca, rows_in_a_file_take_the_memory_of_a_tile) {
#ifdef __SANITIZE_ADDRESS__
    GTEST_SKIP() << "skipped: what a sanitizer keeps of freed memory would count";
#endif
    const testing::TemporaryFolder folder;
    const auto path = folder / "rows.npy";
    constexpr std::int64_t rows = 160000, columns = 160;  // 102 MB
    world().on_root([&] {
        std::ofstream file(path, std::ios::binary);
        file << store::npy_header_bytes<float>({rows, columns});
        std::vector<float> row(columns);
        for (std::uint32_t i = 0, bits = 1; i < rows; ++i) {
            for (auto& value : row) {
                bits = bits * 1664525 + 1013904223;
                value = static_cast<float>(bits >> 16);
            }
            file.write(reinterpret_cast<const char*>(row.data()), 4 * columns);
        }
    });
    const store::MatrixFile file(path, world());
    std::ofstream("/proc/self/clear_refs") << 5;  // the most from here on
    const double before = memory_kb("VmRSS");
    const auto pca = fit_and_project(file, {.components = "2"}, Whiten::off, world()).pca;
    const auto embedding = project(file, pca, Whiten::off, world());
    EXPECT_LT(memory_kb("VmHWM") - before, 18e3)
        << "this rank's rows are " << embedding.rows.count * columns * 4e-3 << " kB";
    EXPECT_EQ(embedding.rows.total, rows);
}

TEST(Pca, a_wrong_value_in_a_file_is_told_on_all_ranks) {
    const testing::TemporaryFolder folder;
    const auto path = folder / "rows.npy";
    auto values = random_values(3000, 5, 0, 701);
    values[2500 * 5 + 3] = std::numeric_limits<float>::quiet_NaN();
    store::write_plain_table(path, block_of(values, 5, world()), world());
    const store::MatrixFile file(path, world());
    try {
        fit_and_project(file, {.components = "2"}, Whiten::off, world());
        FAIL() << "no error";
    } catch (const InputError& error) {
        EXPECT_NE(std::string(error.what()).find("row 2500, column 3"), std::string::npos)
            << error.what();
    }
}

TEST(Pca, duplicated_rows_leave_fewer_directions_than_asked_for) {
    std::vector<float> values;
    for (int i = 0; i < 20; ++i)
        for (int j = 0; j < 6; ++j) values.push_back(i % 2 == 0 ? 1.0f : static_cast<float>(j));
    const auto pca = fit(values, 6, "4");
    EXPECT_NEAR(pca.explained_variance_ratio[0], 1, 1e-6);
    const auto embedding = project(block_of(values, 6, world()), pca, Whiten::on);
    for (const auto value : embedding.values) EXPECT_LT(std::abs(value), 1.01f);
}

TEST(Pca, keeps_as_many_components_as_there_are) {
    EXPECT_EQ(fit(random_values(6, 4, 0, 600), 4, "50").count(), 4);
    EXPECT_EQ(fit({1, 2, 3, 4}, 2, "2").count(), 1);  // two rows span one direction
}

TEST(Pca, wrong_input_is_refused) {
    const auto values = random_values(6, 4, 0, 600);
    EXPECT_THROW(fit({1, 2, 3}, 3, "1"), InputError);
    EXPECT_THROW(fit({1, 2, 1, 2, 1, 2}, 2, "1"), InputError);
    EXPECT_THROW(fit({1e-32f, 0, 0, 1e-32f, 0, 0}, 2, "1"), InputError);
    EXPECT_THROW(fit({1e32f, 0, 0, 1e32f, 0, 0}, 2, "1"), InputError);
    for (const std::string wrong : {"0", "-3", "2.5", "many", "", "nan", "inf"})
        EXPECT_THROW(fit(values, 4, wrong), InputError) << wrong;
}

TEST(Pca, oracle_ncm_features) {
    NEEDS_SHARED("oracles/ncm-features/oracle.json");
    const auto folder = testing::shared_data() / "oracles/ncm-features";
    const auto oracle = nlohmann::json::parse(std::ifstream(folder / "oracle.json"));
    const auto features = store::read_npy<float>(folder / "features.npy");
    const auto expected = store::read_npy<double>(folder / "embedding.npy");
    const auto pca = fit(features.values, 1280, "50");
    for (std::size_t c = 0; c < 50; ++c) {
        const double variance = oracle["pca"]["explained_variance"][c];
        EXPECT_NEAR(pca.explained_variance[c], variance, 1e-8 * variance) << c;
        const double ratio = oracle["pca"]["explained_variance_ratio"][c];
        EXPECT_NEAR(pca.explained_variance_ratio[c], ratio, 2e-8 * ratio) << c;
    }
    const auto embedding = project(block_of(features.values, 1280, world()), pca, Whiten::off);
    for (std::size_t c = 0; c < 50; ++c) {
        double product = 0;  // the oracle's signs are free
        for (std::int64_t i = 0; i < embedding.rows.count; ++i)
            product += embedding.row(i)[c] *
                       expected.values[static_cast<std::size_t>(embedding.rows.first + i) * 50 + c];
        const double sign = world().sum(product) < 0 ? -1 : 1;
        for (std::int64_t i = 0; i < embedding.rows.count; ++i)
            ASSERT_NEAR(
                sign * embedding.row(i)[c],
                expected.values[static_cast<std::size_t>(embedding.rows.first + i) * 50 + c], 2e-4)
                << "row " << i << ", component " << c;
    }
}

}  // namespace
}  // namespace nanoatlas::reduce
