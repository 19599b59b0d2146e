// New rows put into clusters: old rows come back where they were, the rest by the written rules.
#include "cluster/assign.hpp"

#include <gtest/gtest.h>

#include "base/check.hpp"
#include "cluster/density_peaks.hpp"
#include "cluster/dimension.hpp"
#include "cluster/kmeans.hpp"
#include "tests/cluster/points.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/mpi_test.hpp"

namespace nanoatlas::cluster {
namespace {

using testing::Points;
using testing::world;

Points two_clouds(std::int64_t rows, std::uint64_t seed, double apart) {
    Points points{rows, 2, {}};
    for (std::int64_t i = 0; i < rows; ++i) {
        base::Random random(seed, i);
        points.values.push_back(apart * static_cast<double>(i % 2) + random.normal());
        points.values.push_back(random.normal());
    }
    return points;
}

TEST(AssignToCentroids, gives_rows_of_kmeans_their_label_and_follows_the_rule) {
    const auto points = testing::draw_clouds(300, 4, 5, 21);
    const auto matrix = points.block(world());
    const auto clusters = kmeans(matrix, {.clusters = 5}, world());
    EXPECT_EQ(assign_to_centroids(matrix, clusters.centroid).label, clusters.label);

    const Points fresh{6, 1, {0, 4, 5, 6, 10, 40}};
    const auto found = assign_to_centroids(fresh.block(world()), std::vector<double>{0, 10, 30});
    EXPECT_EQ(world().all_gather(found.label), (std::vector<std::int32_t>{0, 0, 0, 1, 1, 2}));
    const auto confidence = world().all_gather(found.confidence);
    const std::vector<double> expected{1, 1 - 4.0 / 6, 0, 1 - 4.0 / 6, 1, 1 - 10.0 / 30};
    for (std::size_t i = 0; i < expected.size(); ++i)
        EXPECT_NEAR(confidence[i], expected[i], 1e-15) << i;
    const auto one = assign_to_centroids(fresh.block(world()), std::vector<double>{3});
    for (const double value : one.confidence) EXPECT_EQ(value, 1);
}

/// Clusters of a matrix as clusters.h5 would hold them.
struct Clustered {
    PeakClusters clusters;
    std::vector<std::uint8_t> halo;
};

Clustered find_peaks(const Points& points, int k) {
    const auto neighbours = find_neighbours(points.block(world()), k, world());
    const auto density = pak_density(neighbours, 2, world());
    const auto peaks = density_peaks(neighbours, density, {1.65}, world());
    return {{.label = world().all_gather(peaks.label),
             .log_density = world().all_gather(density.log_density),
             .error = world().all_gather(density.error),
             .kstar = world().all_gather(density.kstar),
             .saddle_density = peaks.saddle_density,
             .saddle_error = peaks.saddle_error,
             .dimension = 2},
            world().all_gather(peaks.halo)};
}

TEST(AssignToPeaks, gives_old_rows_what_they_have) {
    auto points = two_clouds(400, 22, 5);
    const auto clustered = find_peaks(points, 60);
    auto clusters = clustered.clusters;
    const auto found =
        assign_to_peaks(points.block(world()), points.block(world()), clusters, 60, world());
    EXPECT_EQ(world().all_gather(found.label), clusters.label);
    EXPECT_EQ(world().all_gather(found.halo), clustered.halo);
    EXPECT_EQ(world().all_gather(found.log_density), clusters.log_density);
    EXPECT_EQ(world().all_gather(found.error), clusters.error);
    // A row that repeats in the old matrix counts once.
    points.values.insert(points.values.end(), {points.values[0], points.values[1]});
    ++points.rows;
    clusters.label.push_back(clusters.label[0]);
    clusters.log_density.push_back(clusters.log_density[0]);
    clusters.error.push_back(clusters.error[0]);
    clusters.kstar.push_back(clusters.kstar[0]);
    const auto again =
        assign_to_peaks(points.block(world()), points.block(world()), clusters, 60, world());
    EXPECT_EQ(world().all_gather(again.label), clusters.label);
}

TEST(AssignToPeaks, new_rows_join_by_density_the_same_on_any_number_of_ranks) {
    const auto old = two_clouds(1000, 23, 5), fresh = two_clouds(200, 24, 5);
    const auto clusters = find_peaks(old, 80).clusters;
    const auto found =
        assign_to_peaks(fresh.block(world()), old.block(world()), clusters, 80, world());
    const auto label = world().all_gather(found.label);
    const auto confidence = world().all_gather(found.confidence);
    const auto halo = world().all_gather(found.halo);
    const auto log_density = world().all_gather(found.log_density);
    ASSERT_EQ(*std::max_element(clusters.label.begin(), clusters.label.end()), 1);
    int wrong = 0;
    for (std::size_t i = 0; i < label.size(); ++i) {
        wrong += label[i] != label[i % 2];
        // Above the saddle is what half or more means.
        EXPECT_EQ(halo[i] == 0, confidence[i] >= 0.5) << i;
        EXPECT_LT(log_density[i], 0);
    }
    EXPECT_LE(wrong, 8);  // a few lie beyond the middle
    const auto self = comm::Communicator::self();
    const auto alone = assign_to_peaks(fresh.block(self), old.block(self), clusters, 80, self);
    EXPECT_EQ(alone.label, label);
    EXPECT_EQ(alone.confidence, confidence);
    EXPECT_EQ(alone.log_density, log_density);
}

// The density of a row taken out of the matrix is that which it had in it, as far as k* agrees.
TEST(AssignToPeaks, densities_are_those_of_clustering) {
    const auto all = two_clouds(801, 25, 5);
    Points old{800, 2, {all.values.begin(), all.values.end() - 2}};
    const Points last{1, 2, {all.values.end() - 2, all.values.end()}};
    const auto with_it = find_peaks(all, 80).clusters;
    const auto found = assign_to_peaks(last.block(world()), old.block(world()),
                                       find_peaks(old, 80).clusters, 80, world());
    const auto log_density = world().all_gather(found.log_density);
    ASSERT_EQ(log_density.size(), 1U);
    EXPECT_NEAR(log_density[0], with_it.log_density.back(), 4 * with_it.error.back());
    EXPECT_EQ(world().all_gather(found.label)[0], with_it.label.back());
}

TEST(AssignToPeaks, more_ranks_than_rows_and_wrong_matrices) {
    const auto old = two_clouds(60, 26, 9);
    const auto clusters = find_peaks(old, 20).clusters;
    const Points one{1, 2, {9, 0}}, narrow{1, 1, {9}};
    const auto found =
        assign_to_peaks(one.block(world()), old.block(world()), clusters, 500, world());
    EXPECT_EQ(world().all_gather(found.label).size(), 1U);
    EXPECT_THROW(assign_to_peaks(narrow.block(world()), old.block(world()), clusters, 20, world()),
                 InputError);
    EXPECT_THROW(assign_to_peaks(one.block(world()), one.block(world()), clusters, 20, world()),
                 InputError);
    EXPECT_THROW(assign_to_peaks(one.block(world()), old.block(world()), clusters, 1, world()),
                 InputError);
}

}  // namespace
}  // namespace nanoatlas::cluster
