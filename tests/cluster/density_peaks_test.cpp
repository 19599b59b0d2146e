// Density and density peaks over ranks against their plain versions.
#include "cluster/density_peaks.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "base/check.hpp"
#include "cluster/dimension.hpp"
#include "cluster/distinct_rows.hpp"
#include "kernels/reference/density.hpp"
#include "kernels/reference/density_peaks.hpp"
#include "tests/cluster/points.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/mpi_test.hpp"

namespace nanoatlas::cluster {
namespace {

namespace reference = kernels::reference;
using testing::Points;
using testing::rows_of_this_rank;
using testing::world;

struct Expected {
    std::vector<std::int32_t> kstar;
    std::vector<double> log_density, error;
    reference::Peaks peaks;
};

Expected expected_of(const Points& points, int k, double dimension, double significance) {
    const auto length = static_cast<std::size_t>(k);
    const auto lists = reference::nearest_neighbours(
        points.values, static_cast<std::size_t>(points.columns), length);
    Expected expected;
    expected.kstar = reference::kstar(lists, length, dimension);
    expected.log_density = reference::log_density(lists, length, dimension, expected.kstar);
    for (const auto used : expected.kstar)
        expected.error.push_back(reference::log_density_error(used));
    expected.peaks = reference::density_peaks(lists, length, expected.log_density, expected.error,
                                              expected.kstar, significance);
    return expected;
}

void expect_agreement(const Points& points, int k, double significance) {
    const auto neighbours = find_neighbours(points.block(world()), k, world());
    const double dimension = two_nn_dimension(neighbours, world());
    const auto density = pak_density(neighbours, dimension, world());
    const auto found = density_peaks(neighbours, density, {significance}, world());

    const auto expected = expected_of(points, k, dimension, significance);
    const auto& rows = neighbours.rows;
    EXPECT_EQ(density.kstar, rows_of_this_rank(expected.kstar, rows));
    const auto log_density = rows_of_this_rank(expected.log_density, rows);
    for (std::size_t i = 0; i < log_density.size(); ++i)
        EXPECT_NEAR(density.log_density[i], log_density[i], 1e-9);
    EXPECT_EQ(density.error, rows_of_this_rank(expected.error, rows));
    EXPECT_EQ(found.label, rows_of_this_rank(expected.peaks.label, rows));
    EXPECT_EQ(found.halo, rows_of_this_rank(expected.peaks.halo, rows));
    EXPECT_EQ(found.centre, expected.peaks.centre);
    ASSERT_EQ(found.saddle_density.size(), expected.peaks.saddle_density.size());
    for (std::size_t i = 0; i < found.saddle_density.size(); ++i) {
        if (std::isnan(expected.peaks.saddle_density[i])) {
            EXPECT_EQ(found.saddle_error[i], 0);
        } else {
            EXPECT_NEAR(found.saddle_density[i], expected.peaks.saddle_density[i], 1e-9);
            EXPECT_EQ(found.saddle_error[i], expected.peaks.saddle_error[i]);
        }
    }
}

TEST(DensityPeaks, agree_with_reference_on_random_shapes) {
    for (std::uint64_t trial = 0; trial < 16; ++trial) {
        base::Random random(41, trial);
        const auto rows = 3 + static_cast<std::int64_t>(random.below(700));
        const auto columns = 1 + static_cast<std::int64_t>(random.below(6));
        const auto clouds = 1 + static_cast<int>(random.below(8));
        const auto k =
            std::min<std::int64_t>(rows - 1, 2 + static_cast<std::int64_t>(random.below(90)));
        const auto points = testing::draw_clouds(rows, columns, clouds, trial);
        SCOPED_TRACE(fmt::format("{} x {}, {} clouds, k {}", rows, columns, clouds, k));
        expect_agreement(points, static_cast<int>(k), random.uniform(0.5, 3));
    }
}

TEST(DensityPeaks, more_ranks_than_rows) {
    expect_agreement(testing::draw_clouds(3, 2, 1, 3), 2, 1.65);
}

TEST(DensityPeaks, find_three_clouds_apart) {
    Points points{900, 2, {}};
    for (std::int64_t i = 0; i < points.rows; ++i) {
        base::Random random(51, i);
        points.values.push_back(20.0 * static_cast<double>(i % 3) + random.normal());
        points.values.push_back(random.normal());
    }
    const auto neighbours = find_neighbours(points.block(world()), 60, world());
    const auto density = pak_density(neighbours, 2, world());
    const auto found = density_peaks(neighbours, density, {2.5}, world());
    ASSERT_EQ(found.clusters(), 3);
    const auto labels = world().all_gather(found.label);
    for (std::size_t i = 3; i < labels.size(); ++i) EXPECT_EQ(labels[i], labels[i % 3]);
    // Over its own points, the log density of a plane normal cloud is -log(2 pi) - 1 on average;
    // each of the three has a third of all points.
    double sum = 0;
    for (const double value : world().all_gather(density.log_density)) sum += value;
    EXPECT_NEAR(sum / 900, -std::log(3 * 2 * std::numbers::pi) - 1, 0.2);
}

TEST(DensityPeaks, refuse_nonsense) {
    const auto points = testing::draw_clouds(50, 2, 1, 3);
    const auto neighbours = find_neighbours(points.block(world()), 20, world());
    EXPECT_THROW(pak_density(neighbours, 0, world()), InputError);
    const auto density = pak_density(neighbours, 2, world());
    EXPECT_THROW(density_peaks(neighbours, density, {-1}, world()), InputError);
}

TEST(Density, names_rows_that_coincide) {
    auto points = testing::draw_clouds(40, 2, 1, 9);
    points.values[2 * 31] = points.values[2 * 7];
    points.values[2 * 31 + 1] = points.values[2 * 7 + 1];
    const auto neighbours = find_neighbours(points.block(world()), 20, world());
    try {
        pak_density(neighbours, 2, world());
        FAIL() << "two equal rows have a density";
    } catch (const InputError& error) {
        EXPECT_NE(std::string(error.what()).find("rows 7 and 31 coincide"), std::string::npos)
            << error.what();
    }
}

TEST(DistinctRows, count_each_once_and_come_back_to_all) {
    const auto points = testing::draw_clouds(60, 3, 2, 13);
    Points repeated = points;
    std::vector<std::int64_t> source;
    for (std::int64_t i = 0; i < 60; ++i) source.push_back(i);
    for (std::int64_t i = 0; i < 25; ++i) {
        const auto from = (i * 7) % 20;
        source.push_back(from);
        repeated.values.insert(repeated.values.end(), points.values.begin() + 3 * from,
                               points.values.begin() + 3 * (from + 1));
    }
    repeated.rows = 85;
    const auto distinct = find_distinct_rows(repeated.block(world()), world());
    EXPECT_EQ(distinct.repeats(), 25);
    EXPECT_EQ(world().all_gather(distinct.matrix.values), points.values);
    EXPECT_EQ(world().all_gather(distinct.representative), source);
    const auto values = rows_of_this_rank(source, distinct.matrix.rows);
    EXPECT_EQ(world().all_gather(spread(values, distinct, world())), source);
}

TEST(DistinctRows, leave_a_matrix_without_repeats_alone) {
    const auto points = testing::draw_clouds(33, 2, 2, 14);
    const auto distinct = find_distinct_rows(points.block(world()), world());
    EXPECT_EQ(distinct.repeats(), 0);
    EXPECT_EQ(distinct.matrix.values, points.block(world()).values);
}

TEST(DistinctRows, hold_minus_zero_for_zero_and_see_that_all_are_equal) {
    Points points{7, 2, std::vector<double>(14, 0.0)};
    points.values[4] = -0.0;
    const auto distinct = find_distinct_rows(points.block(world()), world());
    EXPECT_EQ(distinct.matrix.rows.total, 1);
}

}  // namespace
}  // namespace nanoatlas::cluster
