// Neighbours over ranks: equal to all distances sorted, on any number of ranks.
#include "cluster/neighbours.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "base/check.hpp"
#include "cluster/dimension.hpp"
#include "cluster/frame.hpp"
#include "cluster/leading_directions.hpp"
#include "cluster/mutual_search.hpp"
#include "cluster/neighbour_file.hpp"
#include "cluster/panel_forecast.hpp"
#include "cluster/row_ring.hpp"
#include "tests/cluster/points.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/mpi_test.hpp"
#include "tests/temporary_folder.hpp"

namespace nanoatlas::cluster {
namespace {

using testing::Points;
using testing::world;

void expect_exact(const Points& points, int k) {
    const auto expected = kernels::reference::nearest_neighbours(
        points.values, static_cast<std::size_t>(points.columns), static_cast<std::size_t>(k));
    const auto found = find_neighbours(points.block(world()), k, world());
    ASSERT_EQ(found.index, testing::rows_of_this_rank(expected.index, found.rows, k));
    for (std::size_t i = 0; i < found.distance.size(); ++i) {
        const auto there = expected.distance[static_cast<std::size_t>(found.rows.first * k) + i];
        ASSERT_NEAR(found.distance[i], there, 1e-12 * (1 + there));
    }
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

void expect_same_from_file(const Points& points, int k, const std::vector<std::int64_t>& parts) {
    const testing::TemporaryFolder folder;
    const auto path = folder / "points.npy";
    store::write_plain_table(path, points.block(world()), world());
    const store::MatrixFile file(path, world());
    const auto expected = find_neighbours(points.block(world()), k, world());
    for (const auto at_once : parts) {
        std::vector<std::int64_t> index;
        std::vector<double> distance;
        find_neighbours_in_parts(
            {file.rows(), file.columns(),
             [&](auto first, auto count) { return file.read(first, count); }},
            k, at_once,
            [&](const Neighbours& lists) {
                index.insert(index.end(), lists.index.begin(), lists.index.end());
                distance.insert(distance.end(), lists.distance.begin(), lists.distance.end());
            },
            world());
        ASSERT_EQ(index, expected.index) << at_once;
        ASSERT_EQ(distance, expected.distance) << at_once;
    }
}

TEST(NeighboursOverRanks, of_a_matrix_in_a_file_are_those_of_one_in_memory) {
    expect_same_from_file(testing::draw_clouds(103, 4, 3, 9), 30, {1, 7, 40, 200});
}

// Rank 5 with noise in all columns.
Points low_rank(std::int64_t rows, std::int64_t columns) {
    Points points{rows, columns, {}};
    for (std::int64_t i = 0; i < rows; ++i) {
        base::Random noise(61, i), along(62, i);
        double weight[5];
        for (auto& value : weight) value = along.normal();
        for (std::int64_t c = 0; c < columns; ++c) {
            double value = 0.05 * noise.normal();
            for (int r = 0; r < 5; ++r) value += weight[r] * base::Random(63, r, c).normal();
            points.values.push_back(value);
        }
    }
    return points;
}

kernels::kokkos::Frame frame_with_directions(const Points& points, int k) {
    const auto block = points.block(world());
    auto frame = make_frame(block, world());
    add_leading_directions(
        frame, points.rows, k,
        [&](std::int64_t row) {
            const auto values = points.values.begin() + row * points.columns;
            return std::vector<double>(values, values + points.columns);
        },
        world());
    return frame;
}

TEST(NeighboursOverRanks, wide_rows_go_by_leading_directions) {
    const auto points = low_rank(1100, 210);
    const auto frame = frame_with_directions(points, 12);
    ASSERT_EQ(kernels::kokkos::route_of(frame), kernels::kokkos::SearchRoute::leading);
    ASSERT_LT(frame.skew, 1e-9);
    expect_exact(points, 12);
    auto unit = points;
    const auto self = comm::Communicator::self();
    unit.values = unit_rows(points.block(self), self).values;  // the cosine metric
    ASSERT_FALSE(frame_with_directions(unit, 12).directions.empty());
    expect_exact(unit, 12);
}

TEST(NeighboursOverRanks, wide_rows_without_structure_go_by_pairs) {
    Points points{1100, 210, {}};
    base::Random random(64);
    for (std::int64_t i = 0; i < points.rows * points.columns; ++i)
        points.values.push_back(random.normal());
    ASSERT_EQ(kernels::kokkos::route_of(frame_with_directions(points, 12)),
              kernels::kokkos::SearchRoute::pairs);
    expect_exact(points, 12);
}

// In parts, so that lists come home while others are on their way; even four ranks have two blocks
// each, and opposite ones share their pairs by halves.
void expect_pairs_to_meet_once(std::int64_t columns) {
    constexpr int k = 20;
    Points points{4 * (2 * kernels::kokkos::pair_block_rows + 38), columns, {}};
    base::Random random(65);
    for (std::int64_t i = 0; i < points.rows * points.columns; ++i)
        points.values.push_back(random.normal());
    const auto block = points.block(world());
    Neighbours found{.rows = block.rows, .k = k, .index = {}, .distance = {}};
    found.index.resize(static_cast<std::size_t>(block.rows.count * k));
    found.distance.resize(found.index.size());
    auto frame = make_frame(block, world());
    frame.compares_all = true;
    search_mutually(block, frame, 1, found, world());
    const auto expected = kernels::reference::nearest_neighbours(
        points.values, static_cast<std::size_t>(points.columns), k);
    EXPECT_EQ(found.index, testing::rows_of_this_rank(expected.index, found.rows, k));
}

TEST(NeighboursOverRanks, all_pairs_meet_once_over_the_ranks) {
    for (const std::int64_t columns : {195, 40}) expect_pairs_to_meet_once(columns);
}

TEST(NeighboursOverRanks, a_sample_tells_whether_panels_are_passed_over) {
    const auto compares_all = [](const Points& points) {
        auto frame = make_frame(points.block(world()), world());
        choose_panels_or_pairs(
            frame, points.rows, 100,
            [&](std::int64_t row) {
                const auto values = points.values.begin() + row * points.columns;
                return std::vector<double>(values, values + points.columns);
            },
            world());
        return frame.compares_all;
    };
    constexpr std::int64_t many = 16384;
    EXPECT_TRUE(compares_all(testing::draw_clouds(many, 40, 1, 11)));
    EXPECT_FALSE(compares_all(testing::draw_clouds(many, 40, 30, 11)));
    EXPECT_FALSE(compares_all(testing::draw_clouds(many, 31, 1, 11))) << "too few columns";
    EXPECT_FALSE(compares_all(testing::draw_clouds(many - 1, 40, 1, 11))) << "too few rows";
    auto line = testing::draw_clouds(many, 40, 1, 11);
    for (std::int64_t i = 0; i < many; ++i)
        for (std::int64_t c = 1; c < 40; ++c)
            line.values[static_cast<std::size_t>(i * 40 + c)] =
                static_cast<double>(c) * line.values[static_cast<std::size_t>(i * 40)];
    EXPECT_FALSE(compares_all(line));
}

TEST(NeighboursOverRanks, of_wide_rows_in_a_file_are_those_of_rows_in_memory) {
    expect_same_from_file(low_rank(1030, 200), 8, {130, 1030});
}

// Beyond what comes to each rank whole, blocks go round the ring.
TEST(NeighboursOverRanks, are_the_same_by_the_ring) {
    const auto points = testing::draw_clouds(60, 150000, 3, 10);
    expect_exact(points, 9);
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

TEST(Dimension, falls_with_the_scale_where_noise_thickens_a_line) {
    Points line{1200, 3, {}};
    for (std::int64_t i = 0; i < line.rows; ++i) {
        base::Random random(32, i);
        const double along = 100 * random.uniform();
        for (int c = 0; c < 3; ++c) line.values.push_back(along * (c == 0) + 0.3 * random.normal());
    }
    const auto block = line.block(world());
    const auto scales = gride(find_neighbours(block, 128, world()), world());
    ASSERT_EQ(scales.size(), 7U);
    EXPECT_GT(scales.front().dimension, 1.9);
    EXPECT_NEAR(scales.back().dimension, 1, 0.15);
    const auto decimated = decimated_two_nn(block, 5, world());
    ASSERT_EQ(decimated.size(), 5U);  // 600 to 37 rows
    EXPECT_EQ(decimated.back().rows, 37);
    EXPECT_LT(decimated.back().dimension, decimated.front().dimension - 0.5);
    for (std::size_t i = 1; i < decimated.size(); ++i) {
        EXPECT_GT(decimated[i].scale, decimated[i - 1].scale);
        EXPECT_GT(decimated[i].error, 0);
    }
}

TEST(MatrixHash, tells_values_places_and_shape) {
    auto points = testing::draw_clouds(20, 3, 2, 8);
    const auto hash = matrix_hash(points.block(world()), world());
    EXPECT_EQ(hash.size(), 32U);
    EXPECT_EQ(matrix_hash(points.block(world()), world()), hash);
    // Of one rank alone: what any number of ranks must find.
    const auto self = comm::Communicator::self();
    EXPECT_EQ(matrix_hash(points.block(self), self), hash);
    std::swap_ranges(points.values.begin(), points.values.begin() + 3, points.values.begin() + 3);
    EXPECT_NE(matrix_hash(points.block(world()), world()), hash);
    points = testing::draw_clouds(20, 3, 2, 8);
    points.values[59] = std::nextafter(points.values[59], 9.0);
    EXPECT_NE(matrix_hash(points.block(world()), world()), hash);
}

TEST(UnitRows, have_length_one_and_refuse_zero) {
    Points points{3, 2, {3, 4, -1e-200, 0, 1e200, 1e200}};
    const auto unit = world().all_gather(unit_rows(points.block(world()), world()).values);
    EXPECT_NEAR(unit[0], 0.6, 1e-15);
    EXPECT_NEAR(unit[1], 0.8, 1e-15);
    EXPECT_EQ(unit[2], -1);
    EXPECT_NEAR(unit[4], std::sqrt(0.5), 1e-15);
    points.values = {3, 4, 0, 0, 1, 1};
    try {
        unit_rows(points.block(world()), world());
        FAIL();
    } catch (const InputError& error) {
        EXPECT_NE(std::string(error.what()).find("row 1"), std::string::npos) << error.what();
    }
}

}  // namespace
}  // namespace nanoatlas::cluster
