// Density peaks by a cutoff distance over ranks against their plain version.
#include "cluster/cutoff_peaks.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/check.hpp"
#include "cluster/cutoff_distance.hpp"
#include "kernels/reference/cutoff_peaks.hpp"
#include "tests/cluster/points.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/mpi_test.hpp"

namespace nanoatlas::cluster {
namespace {

using kernels::kokkos::DensityKernel;
using testing::Points;
using testing::rows_of_this_rank;
using testing::world;

void expect_agreement(const Points& points, const CutoffPeaksOptions& options) {
    const auto expected = kernels::reference::cutoff_peaks(
        points.values, static_cast<std::size_t>(points.columns), options.cutoff,
        options.kernel == DensityKernel::gaussian, static_cast<std::size_t>(options.clusters));
    const auto matrix = points.block(world());
    const auto found = cutoff_peaks(matrix, options, world());
    EXPECT_EQ(found.centre, expected.centre);
    EXPECT_EQ(found.parent, rows_of_this_rank(expected.parent, matrix.rows));
    EXPECT_EQ(found.label, rows_of_this_rank(expected.label, matrix.rows));
    EXPECT_EQ(found.halo, rows_of_this_rank(expected.halo, matrix.rows));
    const auto density = rows_of_this_rank(expected.density, matrix.rows);
    const auto delta = rows_of_this_rank(expected.delta, matrix.rows);
    ASSERT_EQ(found.density.size(), density.size());
    for (std::size_t i = 0; i < density.size(); ++i) {
        EXPECT_NEAR(found.density[i], density[i], 1e-9);
        EXPECT_NEAR(found.delta[i], delta[i], 1e-12 * (1 + delta[i]));
    }
}

TEST(CutoffPeaks, agree_with_reference_on_random_shapes) {
    for (std::uint64_t trial = 0; trial < 10; ++trial) {
        base::Random random(71, trial);
        const auto rows = 2 + static_cast<std::int64_t>(random.below(220));
        const auto columns = 1 + static_cast<std::int64_t>(random.below(12));
        const auto points = testing::draw_clouds(rows, columns, 4, trial);
        const CutoffPeaksOptions options{
            .cutoff = random.uniform(0.5, 4),
            .kernel = random.chance(0.5) ? DensityKernel::gaussian : DensityKernel::count,
            .clusters = 1 + static_cast<int>(random.below(
                                static_cast<std::uint64_t>(std::min<std::int64_t>(rows, 6))))};
        SCOPED_TRACE(
            fmt::format("trial {}: {} x {}, k {}", trial, rows, columns, options.clusters));
        expect_agreement(points, options);
    }
}

// On a grid many rows are equally dense and equally far.
TEST(CutoffPeaks, ties_go_by_row) {
    Points points{144, 2, {}};
    for (std::int64_t i = 0; i < points.rows; ++i) {
        points.values.push_back(static_cast<double>(i % 12));
        points.values.push_back(static_cast<double>(i / 12));
    }
    expect_agreement(points, {.cutoff = 2.5, .kernel = DensityKernel::count, .clusters = 3});
}

TEST(CutoffPeaks, more_ranks_than_rows_and_rows_that_coincide) {
    expect_agreement(testing::draw_clouds(3, 2, 1, 3), {.cutoff = 1, .clusters = 2});
    auto points = testing::draw_clouds(40, 2, 2, 4);
    for (std::size_t i = 0; i < 20; ++i) points.values[i] = points.values[20 + i];
    expect_agreement(points, {.cutoff = 1, .clusters = 2});
    expect_agreement(Points{8, 2, std::vector<double>(16, 3.0)}, {.cutoff = 1, .clusters = 2});
}

Points three_clouds() {
    Points points{900, 2, {}};
    for (std::int64_t i = 0; i < points.rows; ++i) {
        base::Random random(72, i);
        points.values.push_back(20.0 * static_cast<double>(i % 3) + random.normal());
        points.values.push_back(random.normal());
    }
    return points;
}

TEST(CutoffPeaks, find_as_many_clouds_as_there_are) {
    const auto points = three_clouds();
    const auto matrix = points.block(world());
    const double cutoff = cutoff_distance(matrix, 0.02, 1, world());
    const auto found = cutoff_peaks(matrix, {.cutoff = cutoff}, world());
    ASSERT_EQ(found.clusters(), 3);
    const auto labels = world().all_gather(found.label);
    for (std::size_t i = 3; i < labels.size(); ++i) EXPECT_EQ(labels[i], labels[i % 3]);
    // One rank alone: the same bits.
    const auto self = comm::Communicator::self();
    const auto whole = points.block(self);
    EXPECT_EQ(cutoff_distance(whole, 0.02, 1, self), cutoff);
    const auto alone = cutoff_peaks(whole, {.cutoff = cutoff}, self);
    EXPECT_EQ(world().all_gather(found.density), alone.density);
    EXPECT_EQ(world().all_gather(found.delta), alone.delta);
}

TEST(CutoffPeaks, find_one_cloud_where_there_is_one) {
    const auto matrix = testing::draw_clouds(400, 10, 1, 8).block(world());
    const double cutoff = cutoff_distance(matrix, 0.02, 1, world());
    EXPECT_EQ(cutoff_peaks(matrix, {.cutoff = cutoff}, world()).clusters(), 1);
}

TEST(CutoffDistance, is_the_quantile_of_all_pairs_and_close_to_it_by_sample) {
    const auto points = three_clouds();
    const auto exact = kernels::reference::pair_distance_at(points.values, 2, 0.02);
    EXPECT_NEAR(cutoff_distance(points.block(world()), 0.02, 1, world()), exact, 1e-3 * exact);
    const auto many = testing::draw_clouds(1500, 3, 5, 6);
    const auto of_many = kernels::reference::pair_distance_at(many.values, 3, 0.02);
    const double sampled = cutoff_distance(many.block(world()), 0.02, 1, world());
    EXPECT_NEAR(sampled, of_many, 0.03 * of_many);
    EXPECT_EQ(sampled, cutoff_distance(many.block(comm::Communicator::self()), 0.02, 1,
                                       comm::Communicator::self()));
    const Points equal{10, 1, std::vector<double>(10, 1.0)};
    EXPECT_EQ(cutoff_distance(equal.block(world()), 0.02, 1, world()), 0);
}

TEST(CutoffPeaks, refuse_nonsense) {
    const auto points = testing::draw_clouds(10, 2, 1, 3);
    const auto matrix = points.block(world());
    EXPECT_THROW(cutoff_peaks(matrix, {.cutoff = 0}, world()), InputError);
    EXPECT_THROW(cutoff_peaks(matrix, {.cutoff = 1, .clusters = 11}, world()), InputError);
    EXPECT_THROW(
        cutoff_peaks(testing::draw_clouds(1, 2, 1, 3).block(world()), {.cutoff = 1}, world()),
        InputError);
}

}  // namespace
}  // namespace nanoatlas::cluster
