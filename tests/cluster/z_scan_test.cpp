// Several significances from one landscape, and subsamples from one set of lists.
#include "cluster/z_scan.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/check.hpp"
#include "cluster/density_peaks.hpp"
#include "cluster/subsample.hpp"
#include "tests/cluster/points.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/mpi_test.hpp"

namespace nanoatlas::cluster {
namespace {

using testing::draw_clouds;
using testing::Points;
using testing::world;

const std::vector<double> levels = {0, 0.7, 1.65, 3};

TEST(ZScan, labels_are_those_of_runs_at_each_significance) {
    for (std::uint64_t trial = 0; trial < 4; ++trial) {
        const auto points = draw_clouds(80 + static_cast<std::int64_t>(trial) * 150, 2, 5, trial);
        const auto lists = find_neighbours(points.block(world()), 30, world());
        const auto density = pak_density(lists, 2, world());
        const auto scan = scan_significance(find_landscape(lists, density, world()), levels);
        for (std::size_t s = 0; s < levels.size(); ++s) {
            const auto alone = density_peaks(lists, density, {levels[s]}, world());
            EXPECT_EQ(scan.clusters[s], alone.clusters());
            std::vector<std::int32_t> label;
            for (auto i = s; i < scan.label.size(); i += levels.size())
                label.push_back(scan.label[i]);
            EXPECT_EQ(label, alone.label) << "Z " << levels[s];
        }
    }
}

TEST(Subsample, lists_are_those_of_the_rows_alone) {
    const auto points = draw_clouds(150, 3, 3, 11);
    const auto lists = find_neighbours(points.block(world()), 40, world());
    const auto kept = draw_rows(150, 120, 5, 2);
    EXPECT_TRUE(std::ranges::is_sorted(kept));
    EXPECT_EQ(std::ranges::adjacent_find(kept), kept.end());
    EXPECT_NE(kept, draw_rows(150, 120, 5, 3));
    Points part{120, 3, {}};
    for (const auto row : kept)
        part.values.insert(part.values.end(), points.values.begin() + 3 * row,
                           points.values.begin() + 3 * (row + 1));
    const auto among = neighbours_among(lists, kept, world());
    EXPECT_GE(among.k, 20);
    EXPECT_LT(among.k, 40);
    const auto expected = find_neighbours(part.block(world()), among.k, world());
    EXPECT_EQ(among.rows.first, expected.rows.first);
    EXPECT_EQ(among.index, expected.index);
    EXPECT_EQ(among.distance, expected.distance);
}

TEST(Subsample, refuses_lists_that_become_too_short) {
    const auto points = draw_clouds(40, 2, 1, 12);
    const auto lists = find_neighbours(points.block(world()), 3, world());
    EXPECT_THROW(neighbours_among(lists, draw_rows(40, 10, 1, 0), world()), InputError);
}

Stability stability_of(const Points& points, const comm::Communicator& comm) {
    const auto lists = find_neighbours(points.block(comm), 40, comm);
    const auto density = pak_density(lists, 2, comm);
    const auto scan = scan_significance(find_landscape(lists, density, comm), levels);
    return measure_stability(
        lists, [&](const Neighbours& of) { return pak_density(of, 2, comm); }, scan,
        {.subsamples = 3}, comm);
}

TEST(Stability, is_the_same_on_any_number_of_ranks) {
    const auto points = draw_clouds(300, 2, 4, 21);
    const auto together = stability_of(points, world());
    const auto alone = stability_of(points, comm::Communicator::self());
    EXPECT_EQ(together.ari, alone.ari);
    EXPECT_EQ(together.ami, alone.ami);
    EXPECT_EQ(together.clusters, alone.clusters);
    ASSERT_EQ(together.ari.size(), 3 * levels.size());
    for (const double ari : together.ari) EXPECT_LE(ari, 1);
}

// Clouds far apart are found again; without significance every bump of the density is a cluster,
// and bumps change with the rows.
TEST(Stability, tells_clouds_from_bumps) {
    Points points{450, 2, {}};
    for (std::int64_t i = 0; i < points.rows; ++i) {
        base::Random random(51, i);
        points.values.push_back(20.0 * static_cast<double>(i % 3) + random.normal());
        points.values.push_back(random.normal());
    }
    const auto stability = stability_of(points, world());
    for (std::size_t t = 0; t < 3; ++t) {
        EXPECT_EQ(stability.clusters[3 * 3 + t], 3);
        EXPECT_EQ(stability.ari[3 * 3 + t], 1);
        EXPECT_GT(stability.clusters[t], 3);
        EXPECT_LT(stability.ari[t], 0.9);
    }
}

TEST(Stability, needs_three_rows) {
    const auto points = draw_clouds(3, 2, 1, 3);
    const auto lists = find_neighbours(points.block(world()), 2, world());
    const auto density = pak_density(lists, 2, world());
    const auto scan = scan_significance(find_landscape(lists, density, world()), levels);
    const auto density_of = [&](const Neighbours& of) { return pak_density(of, 2, world()); };
    EXPECT_THROW(measure_stability(lists, density_of, scan, {.subsamples = 1}, world()),
                 InputError);
}

}  // namespace
}  // namespace nanoatlas::cluster
