#include "cluster/silhouette.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/check.hpp"
#include "base/random.hpp"
#include "kernels/kokkos/distance_minima.hpp"
#include "kernels/kokkos/distance_sums.hpp"
#include "kernels/reference/distance_sums.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/mpi_test.hpp"
#include "tests/shared_data.hpp"

namespace nanoatlas::cluster {
namespace {

using Labels = std::vector<std::int64_t>;
using Values = std::vector<double>;
using testing::world;

Values random_values(std::size_t count, int seed) {
    base::Random random(40, seed);
    Values values(count);
    for (auto& value : values) value = random.normal();
    return values;
}

Labels random_labels(std::size_t rows, std::uint64_t kinds, int seed) {
    base::Random random(41, seed);
    Labels labels(rows);
    for (auto& label : labels) label = static_cast<std::int64_t>(random.below(kinds)) - 1;
    return labels;
}

std::vector<std::int32_t> numbers_below(std::uint64_t limit, std::size_t count, int seed) {
    base::Random random(44, seed);
    std::vector<std::int32_t> numbers(count);
    for (auto& number : numbers) number = static_cast<std::int32_t>(random.below(limit));
    return numbers;
}

store::Matrix<double> block_of(const Values& values, std::int64_t columns) {
    const auto rows = comm::row_block(static_cast<std::int64_t>(values.size()) / columns, world());
    return {
        .rows = rows,
        .columns = columns,
        .values = {values.begin() + rows.first * columns, values.begin() + rows.end() * columns}};
}

TEST(DistanceSums, agree_with_reference_on_random_shapes) {
    for (int trial = 0; trial < 40; ++trial) {
        base::Random random(42, trial);
        const auto m = random.below(150), n = random.below(150), columns = 1 + random.below(70);
        const auto labels = 1 + random.below(9);
        const auto a = random_values(m * columns, 2 * trial),
                   b = random_values(n * columns, 2 * trial + 1);
        const auto label_a = numbers_below(labels, m, 2 * trial),
                   label_b = numbers_below(labels, n, 2 * trial + 1);
        const kernels::kokkos::FixedPoint unit(100, static_cast<std::int64_t>(m + n));
        const kernels::kokkos::DistanceSums kernel(columns, labels, unit);
        const auto expect_sums = [&](const Labels& sums, const Values& from, const Values& to,
                                     const std::vector<std::int32_t>& label) {
            const auto expected =
                kernels::reference::distances_by_label(from, to, columns, label, labels);
            for (std::size_t i = 0; i < expected.size(); ++i)
                ASSERT_NEAR(static_cast<double>(sums[i]) * unit.unit(), expected[i],
                            1e-12 * (1 + expected[i]));
        };
        Labels of_a(m * labels), of_b(n * labels), of_a_alone(m * labels), within(m * labels);
        kernel.add_between({a, label_a}, {b, label_b}, of_a, of_b);
        expect_sums(of_a, a, b, label_b);
        expect_sums(of_b, b, a, label_a);
        kernel.add_between({a, label_a}, {b, label_b}, of_a_alone, {});
        ASSERT_EQ(of_a_alone, of_a);
        kernel.add_within({a, label_a}, within);
        expect_sums(within, a, a, label_a);

        const auto group_a = random_labels(m, 4, 2 * trial),
                   group_b = random_labels(n, 4, 2 * trial + 1);
        Labels nearest(m, -1), number(n);
        std::iota(number.begin(), number.end(), 0);
        Values squares(m, std::numeric_limits<double>::infinity());
        const auto middle = n / 2;  // the second half first
        const auto b_values = std::span<const double>(b);
        const std::span<const std::int64_t> groups(group_b), numbers(number);
        for (const auto& [first, count] : {std::pair{middle, n - middle}, std::pair{0UL, middle}})
            kernels::kokkos::update_nearest(
                {a, group_a, {}},
                {b_values.subspan(first * columns, count * columns), groups.subspan(first, count),
                 numbers.subspan(first, count)},
                columns, nearest, squares);
        ASSERT_EQ(nearest, kernels::reference::nearest(a, group_a, b, group_b, columns));
    }
}

/// Straight from the definition.
double plain_silhouette(const Values& values, std::size_t columns, const Labels& labels) {
    double total = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        std::map<std::int64_t, std::pair<double, double>> sums;  // sum, count
        for (std::size_t j = 0; j < labels.size(); ++j) {
            if (i == j) continue;
            double square = 0;
            for (std::size_t d = 0; d < columns; ++d)
                square += std::pow(values[i * columns + d] - values[j * columns + d], 2);
            sums[labels[j]].first += std::sqrt(square);
            ++sums[labels[j]].second;
        }
        if (!sums.contains(labels[i])) continue;
        const double a = sums[labels[i]].first / sums[labels[i]].second;
        double b = std::numeric_limits<double>::infinity();
        for (const auto& [label, sum] : sums)
            if (label != labels[i]) b = std::min(b, sum.first / sum.second);
        total += (b - a) / std::max(a, b);
    }
    return total / static_cast<double>(labels.size());
}

TEST(Silhouette, agrees_with_the_definition) {
    for (int trial = 0; trial < 20; ++trial) {
        base::Random random(43, trial);
        const auto rows = 3 + random.below(120), columns = 1 + random.below(20);
        const auto values = random_values(rows * columns, 100 + trial);
        auto labels = random_labels(rows, 2 + random.below(6), 100 + trial);
        labels[0] = 50;  // alone in its cluster
        labels[1] = labels[2] = 51;
        EXPECT_NEAR(
            silhouette(block_of(values, static_cast<std::int64_t>(columns)), labels, world()),
            plain_silhouette(values, columns, labels), 1e-12);
    }
}

TEST(Silhouette, is_the_same_to_the_bit_on_any_number_of_ranks) {
    for (const std::size_t rows : {3, 50, 700}) {
        const auto values = random_values(rows * 5, 7);
        auto labels = random_labels(rows, 3, 7);
        labels[0] = 9;
        labels[1] = labels[2];
        const store::Matrix<double> whole{.rows = {.first = 0,
                                                   .count = static_cast<std::int64_t>(rows),
                                                   .total = static_cast<std::int64_t>(rows)},
                                          .columns = 5,
                                          .values = values};
        EXPECT_EQ(world().all_gather(silhouettes(block_of(values, 5), labels, world())),
                  silhouettes(whole, labels, comm::Communicator::self()));
    }
}

TEST(Silhouette, does_not_depend_on_where_and_how_large_rows_are) {
    const std::size_t rows = 200, columns = 4;
    auto values = random_values(rows * columns, 8);
    const auto labels = random_labels(rows, 3, 8);
    for (std::size_t i = 0; i < columns; ++i) values[i] = values[columns + i];  // rows coincide
    for (auto& value : values) value = std::round(value * 0x1p20) / 0x1p20;     // exact below
    const double expected = plain_silhouette(values, columns, labels);
    const auto moved = [&](double factor, double offset) {
        auto result = values;
        for (auto& value : result) value = value * factor + offset;
        return silhouette(block_of(result, columns), labels, world());
    };
    EXPECT_NEAR(moved(1, 1e8), expected, 1e-13);
    EXPECT_NEAR(moved(0x1p-400, 0), expected, 1e-13);
    EXPECT_NEAR(moved(0x1p400, 0), expected, 1e-13);
    EXPECT_THROW(moved(0x1p-1030, 0), InputError);
    EXPECT_EQ(moved(0, 3), 0);  // all rows equal
}

TEST(Silhouette, is_undefined_for_one_cluster_or_all_apart) {
    const auto matrix = block_of(random_values(12, 1), 2);
    EXPECT_TRUE(std::isnan(silhouette(matrix, Labels{1, 1, 1, 1, 1, 1}, world())));
    EXPECT_TRUE(std::isnan(silhouette(matrix, Labels{1, 2, 3, 4, 5, 6}, world())));
}

TEST(NearestNeighbourAccuracy, leaves_out_the_row_its_fold_and_the_unlabelled) {
    const Values line{0, 1, 1.5, 10, 11, 30};
    const auto matrix = block_of(line, 1);
    const Labels labels{7, 7, 8, 8, 8, -1};
    // Nearest: 0 -> 1 yes, 1 -> 2 no, 2 -> 1 no, 3 -> 4 yes, 4 -> 3 yes.
    EXPECT_DOUBLE_EQ(nearest_neighbour_accuracy(matrix, labels, {}, world()), 3.0 / 5);
    // Folds {0, 1, 3} and {2, 4}: 0 -> 2 no, 1 -> 2 no, 2 -> 1 no, 3 -> 4 yes, 4 -> 3 yes.
    EXPECT_DOUBLE_EQ(nearest_neighbour_accuracy(matrix, labels, Labels{0, 0, 1, 0, 1, 1}, world()),
                     2.0 / 5);
    EXPECT_TRUE(
        std::isnan(nearest_neighbour_accuracy(matrix, labels, Labels{0, 0, 0, 0, 0, 1}, world())));
    EXPECT_TRUE(std::isnan(nearest_neighbour_accuracy(matrix, Labels(6, -1), {}, world())));
}

TEST(Silhouette, oracle_ncm_features) {
    NEEDS_SHARED("oracles/ncm-features/oracle.json");
    const auto folder = testing::shared_data() / "oracles/ncm-features";
    const auto expected = nlohmann::json::parse(
        std::ifstream(folder / "oracle.json"))["scores_of_adp_Z1.65_against_truth"];
    const auto embedding = store::read_matrix<double>(folder / "embedding.npy", world());
    EXPECT_NEAR(
        silhouette(embedding, store::read_labels(folder / "adp_Z1.65.csv", world()), world()),
        expected["silhouette"], 1e-12);
    const auto truth = store::read_labels(folder / "truth.npy", world());
    EXPECT_NEAR(nearest_neighbour_accuracy(embedding, truth, {}, world()), 0.895, 0.01);
}

}  // namespace
}  // namespace nanoatlas::cluster
