// k-means over ranks against its plain version, and against what scikit-learn gives.
#include "cluster/kmeans.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/check.hpp"
#include "kernels/reference/kmeans.hpp"
#include "tests/cluster/points.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/mpi_test.hpp"
#include "tests/shared_data.hpp"

namespace nanoatlas::cluster {
namespace {

using testing::Points;
using testing::rows_of_this_rank;
using testing::world;

/// So many rows of the points, by lot; may repeat.
std::vector<double> draw_start(const Points& points, int clusters, std::uint64_t seed) {
    std::vector<double> start;
    base::Random random(81, seed);
    for (int k = 0; k < clusters; ++k) {
        const auto row = random.below(static_cast<std::uint64_t>(points.rows));
        const auto first = points.values.begin() + static_cast<std::int64_t>(row) * points.columns;
        start.insert(start.end(), first, first + points.columns);
    }
    return start;
}

void expect_agreement(const Points& points, std::span<const double> start, int iterations,
                      double tolerance = 1e-12) {
    const auto columns = static_cast<std::size_t>(points.columns);
    const auto expected = kernels::reference::kmeans(points.values, start, columns, iterations);
    const auto found = kmeans_from(points.block(world()), start, iterations, world());
    EXPECT_EQ(world().all_gather(found.label), expected.label);
    EXPECT_EQ(found.iterations, expected.iterations);
    EXPECT_NEAR(found.inertia, expected.inertia, tolerance * (1 + expected.inertia));
    ASSERT_EQ(found.centroid.size(), expected.centre.size());
    for (std::size_t i = 0; i < expected.centre.size(); ++i)
        EXPECT_NEAR(found.centroid[i], expected.centre[i],
                    tolerance * (1 + std::abs(expected.centre[i])));
    for (std::size_t k = 0; k < found.size.size(); ++k)
        EXPECT_EQ(found.size[k], std::count(expected.label.begin(), expected.label.end(),
                                            static_cast<std::int32_t>(k)));
}

TEST(KMeans, agrees_with_reference_on_random_shapes) {
    for (std::uint64_t trial = 0; trial < 12; ++trial) {
        base::Random random(82, trial);
        const auto rows = 1 + static_cast<std::int64_t>(random.below(400));
        const auto columns = 1 + static_cast<std::int64_t>(random.below(trial % 4 == 0 ? 300 : 20));
        const auto clusters =
            1 + static_cast<int>(
                    random.below(static_cast<std::uint64_t>(std::min<std::int64_t>(rows, 70))));
        const auto points = testing::draw_clouds(rows, columns, 6, trial);
        SCOPED_TRACE(fmt::format("trial {}: {} x {}, k {}", trial, rows, columns, clusters));
        expect_agreement(points, draw_start(points, clusters, trial),
                         1 + static_cast<int>(random.below(30)));
    }
}

TEST(KMeans, equal_distances_go_by_the_number_of_the_cluster) {
    Points points{360, 2, {}};  // a grid: many rows lie midway between two centres
    for (std::int64_t i = 0; i < points.rows; ++i) {
        points.values.push_back(static_cast<double>(i % 20));
        points.values.push_back(static_cast<double>(i / 20));
    }
    for (std::uint64_t trial = 0; trial < 6; ++trial)
        expect_agreement(points, draw_start(points, 8, trial), 1);
}

TEST(KMeans, survives_offsets_that_f32_cannot_hold) {
    auto points = testing::draw_clouds(500, 4, 5, 7);
    for (auto& value : points.values) value += 1e8;
    expect_agreement(points, draw_start(points, 5, 7), 50, 1e-7);
}

// Two clumps so far apart that f32 tells none of their members apart.
TEST(KMeans, survives_clumps_that_f32_blurs) {
    auto points = testing::draw_clouds(400, 3, 4, 8);
    for (std::size_t i = 0; i < points.values.size(); ++i)
        points.values[i] = (i / 3 % 2 == 0 ? -1.0 : 1.0) + 1e-8 * points.values[i];
    expect_agreement(points, draw_start(points, 6, 8), 50, 1e-9);
}

TEST(KMeans, clusters_that_lose_all_rows_get_the_furthest) {
    const auto points = testing::draw_clouds(300, 2, 5, 9);
    auto start = draw_start(points, 6, 9);
    for (std::size_t i = 8; i < start.size(); ++i) start[i] = 1e3 + static_cast<double>(i);
    expect_agreement(points, start, 50);
    const auto found = kmeans_from(points.block(world()), start, 50, world());
    for (const auto size : found.size) EXPECT_GT(size, 0);
}

TEST(KMeans, leaves_clusters_empty_where_fewer_rows_differ) {
    Points points{40, 1, {}};
    for (int i = 0; i < 40; ++i) points.values.push_back(i % 2);
    expect_agreement(points, std::vector<double>{0, 1, 1, 5}, 20);
}

TEST(KMeans, more_ranks_than_rows) {
    const auto points = testing::draw_clouds(3, 2, 1, 3);
    expect_agreement(points, draw_start(points, 2, 1), 10);
    const auto found = kmeans(points.block(world()), {.clusters = 3}, world());
    EXPECT_EQ(found.size, (std::vector<std::int64_t>{1, 1, 1}));
    EXPECT_NEAR(found.inertia, 0, 1e-20);
}

TEST(KMeans, finds_clouds_apart_and_is_a_function_of_the_seed_alone) {
    Points points{2500, 5, {}};
    for (std::int64_t i = 0; i < points.rows; ++i) {
        base::Random random(83, i);
        for (int c = 0; c < 5; ++c)
            points.values.push_back((c == i % 5 ? 30.0 : 0.0) + random.normal());
    }
    const KMeansOptions options{.clusters = 5, .restarts = 2, .seed = 4};
    const auto found = kmeans(points.block(world()), options, world());
    EXPECT_TRUE(found.converged);
    const auto label = world().all_gather(found.label);
    for (std::size_t i = 5; i < label.size(); ++i) ASSERT_EQ(label[i], label[i % 5]);
    // One rank alone with all rows gets the same bits.
    const auto self = comm::Communicator::self();
    const auto alone = kmeans(points.block(self), options, self);
    EXPECT_EQ(alone.label, label);
    EXPECT_EQ(alone.centroid, found.centroid);
    EXPECT_EQ(alone.inertia, found.inertia);
    EXPECT_EQ(world().all_gather(found.distance), alone.distance);
}

// Each start is the same on one rank, row by row.
TEST(KMeans, starts_are_rows_drawn_the_same_on_any_number_of_ranks) {
    const auto points = testing::draw_clouds(2300, 3, 9, 10);
    const auto self = comm::Communicator::self();
    for (std::uint64_t restart = 0; restart < 3; ++restart) {
        const auto start = kmeans_start(points.block(world()), 9, 5, restart, world());
        EXPECT_EQ(start, kmeans_start(points.block(self), 9, 5, restart, self));
        for (std::size_t k = 0; k < 9; ++k) {
            bool found = false;
            for (std::size_t i = 0; i < 2300 && !found; ++i)
                found = std::equal(&start[3 * k], &start[3 * k] + 3, &points.values[3 * i]);
            EXPECT_TRUE(found);
        }
    }
}

TEST(KMeans, refuses_nonsense) {
    const auto points = testing::draw_clouds(10, 2, 1, 3);
    const auto matrix = points.block(world());
    const auto refusal = [&](const store::Matrix<double>& rows, const KMeansOptions& options) {
        try {
            kmeans(rows, options, world());
        } catch (const InputError& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    EXPECT_NE(refusal(matrix, {.clusters = 0}).find("--k is 0"), std::string::npos);
    EXPECT_NE(refusal(matrix, {.clusters = 11}).find("more than 10 rows"), std::string::npos);
    EXPECT_NE(refusal(matrix, {.clusters = 2, .restarts = 0}).find("--restarts"),
              std::string::npos);
    EXPECT_NE(refusal(matrix, {.clusters = 2, .iterations = 0}).find("--iterations"),
              std::string::npos);
    Points equal{10, 2, std::vector<double>(20, 0.25)};
    EXPECT_NE(refusal(equal.block(world()), {.clusters = 2}).find("only 1 of 10 rows differ"),
              std::string::npos);
    equal.values.back() = 1e140;
    EXPECT_NE(refusal(equal.block(world()), {.clusters = 2}).find("scale the matrix"),
              std::string::npos);
}

TEST(KMeans, oracle_ncm_features) {
    NEEDS_SHARED("oracles/ncm-features/oracle.json");
    const auto folder = testing::shared_data() / "oracles/ncm-features";
    const auto expected = nlohmann::json::parse(std::ifstream(folder / "oracle.json"))["kmeans_12"];
    const auto matrix = store::read_matrix<double>(folder / "embedding.npy", world());
    const auto all = world().all_gather(matrix.values);  // its start is the first 12 rows
    const auto found = kmeans_from(
        matrix, std::span(all).first(static_cast<std::size_t>(12 * matrix.columns)), 300, world());
    const double inertia = expected["inertia"];
    EXPECT_NEAR(found.inertia, inertia, 1e-9 * inertia);
    EXPECT_EQ(found.iterations, expected["iterations"]);
    const auto labels = store::read_labels(folder / "kmeans_12.csv", world());
    const auto label = world().all_gather(found.label);
    EXPECT_TRUE(std::equal(label.begin(), label.end(), labels.begin(), labels.end()));
}

}  // namespace
}  // namespace nanoatlas::cluster
