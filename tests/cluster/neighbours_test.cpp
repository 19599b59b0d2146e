// Neighbours over ranks: equal to all distances sorted, on any number of ranks.
#include "cluster/neighbours.hpp"

#include <gtest/gtest.h>

#include "base/check.hpp"
#include "cluster/dimension.hpp"
#include "tests/cluster/points.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/mpi_test.hpp"

namespace nanoatlas::cluster {
namespace {

using testing::Points;
using testing::world;

void expect_exact(const Points& points, int k) {
    const auto expected = kernels::reference::nearest_neighbours(
        points.values, static_cast<std::size_t>(points.columns), static_cast<std::size_t>(k));
    const auto found = find_neighbours(points.block(world()), k, world());
    ASSERT_EQ(found.index, testing::rows_of_this_rank(expected.index, found.rows, k));
    for (std::size_t i = 0; i < found.distance.size(); ++i)
        ASSERT_NEAR(found.distance[i],
                    expected.distance[static_cast<std::size_t>(found.rows.first * k) + i], 1e-12);
}

TEST(NeighboursOverRanks, agree_with_reference) {
    for (std::uint64_t trial = 0; trial < 12; ++trial) {
        base::Random random(21, trial);
        const auto rows = 2 + static_cast<std::int64_t>(random.below(300));
        const auto columns = 1 + static_cast<std::int64_t>(random.below(40));
        const auto k =
            1 + random.below(static_cast<std::uint64_t>(std::min<std::int64_t>(rows - 1, 30)));
        expect_exact(testing::draw_clouds(rows, columns, 3, trial), static_cast<int>(k));
    }
}

TEST(NeighboursOverRanks, more_ranks_than_rows) {
    expect_exact(testing::draw_clouds(2, 3, 1, 5), 1);
    expect_exact(testing::draw_clouds(3, 2, 1, 6), 2);
}

TEST(NeighboursOverRanks, equal_distances_go_by_row) {
    Points grid{100, 2, {}};
    for (int i = 0; i < 200; ++i) grid.values.push_back(i % 2 == 0 ? i / 20 : i / 2 % 10);
    expect_exact(grid, 12);
    expect_exact(grid, 99);
}

TEST(NeighboursOverRanks, refuse_what_cannot_be) {
    const auto points = testing::draw_clouds(10, 2, 1, 7);
    EXPECT_THROW(find_neighbours(points.block(world()), 10, world()), InputError);
    EXPECT_THROW(find_neighbours(points.block(world()), 0, world()), InputError);
    auto huge = points;
    for (auto& value : huge.values) value *= 1e200;
    EXPECT_THROW(find_neighbours(huge.block(world()), 3, world()), InputError);
}

TEST(TwoNN, finds_the_dimension_of_a_plane_in_space) {
    Points plane{1500, 5, {}};
    for (std::int64_t i = 0; i < plane.rows; ++i) {
        base::Random random(31, i);
        const double u = random.uniform(), v = random.uniform();
        for (const double value : {u, v, u + v, u - 2 * v, 0.0}) plane.values.push_back(value);
    }
    const auto neighbours = find_neighbours(plane.block(world()), 2, world());
    EXPECT_NEAR(two_nn_dimension(neighbours, world()), 2, 0.15);
}

TEST(TwoNN, refuses_a_grid) {
    Points grid{64, 2, {}};
    for (int i = 0; i < 128; ++i) grid.values.push_back(i % 2 == 0 ? i / 16 : i / 2 % 8);
    const auto neighbours = find_neighbours(grid.block(world()), 3, world());
    EXPECT_THROW(two_nn_dimension(neighbours, world()), InputError);
}

}  // namespace
}  // namespace nanoatlas::cluster
