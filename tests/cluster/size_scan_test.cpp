// Several least sizes of a cluster from one set of lists, against runs of their own.
#include "cluster/hdbscan/size_scan.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/check.hpp"
#include "cluster/hdbscan/validity.hpp"
#include "cluster/scores.hpp"
#include "cluster/subsample.hpp"
#include "tests/cluster/hdbscan_points.hpp"
#include "tests/kokkos_environment.hpp"

namespace nanoatlas::cluster {
namespace {

using testing::Points;
using testing::points_of;
using testing::world;

const std::vector<std::int64_t> sizes = {2, 5, 12, 30};

Reachability lists_for(const Points& points, HdbscanOptions options,
                       const comm::Communicator& comm) {
    options.min_cluster_size = sizes.back();
    base::PhaseTimes phases;
    return {points.block(comm), samples_of(options), "", phases, comm};
}

std::vector<std::int32_t> column(const SizeScan& scan, std::size_t s) {
    std::vector<std::int32_t> label;
    for (auto i = s; i < scan.label.size(); i += scan.min_cluster_size.size())
        label.push_back(scan.label[i]);
    return label;
}

void expect_like_runs(const Points& points, const HdbscanOptions& options,
                      const std::string& what) {
    auto lists = lists_for(points, options, world());
    const auto scan = scan_sizes(lists, options, sizes);
    for (std::size_t s = 0; s < sizes.size(); ++s) {
        auto alone = options;
        alone.min_cluster_size = sizes[s];
        const auto expected = testing::run_hdbscan(points, alone);
        const auto label = world().all_gather(expected.label);
        ASSERT_EQ(column(scan, s), expected.label) << what << ", size " << sizes[s];
        EXPECT_EQ(scan.clusters[s], std::ssize(expected.persistence));
        EXPECT_EQ(scan.noise[s], static_cast<double>(std::ranges::count(label, -1)) /
                                     static_cast<double>(points.rows));
        EXPECT_EQ(scan.validity[s], relative_validity(expected.tree, label));
        const double mean =
            std::accumulate(expected.persistence.begin(), expected.persistence.end(), 0.0) /
            static_cast<double>(expected.persistence.size());
        if (std::isnan(mean))
            EXPECT_TRUE(std::isnan(scan.persistence[s]));
        else
            EXPECT_EQ(scan.persistence[s], mean);
    }
}

TEST(SizeScan, equals_runs_of_each_size_on_random_shapes) {
    for (std::uint64_t trial = 0; trial < 4; ++trial) {
        base::Random random(31, trial);
        const auto rows = static_cast<std::int64_t>(30 + random.below(300));
        const auto columns = static_cast<std::int64_t>(1 + random.below(20));
        const auto points = testing::draw_clouds(rows, columns, 5, trial);
        for (const std::int64_t samples : {0, 1, 7}) {
            const HdbscanOptions options{
                .min_samples = samples,
                .alpha = trial % 2 == 0 ? 1 : 1.5,
                .selection = {.method =
                                  trial % 3 == 0 ? Selection::leaf : Selection::excess_of_mass}};
            expect_like_runs(points, options,
                             fmt::format("{} x {}, samples {}", rows, columns, samples));
        }
    }
}

TEST(SizeScan, equals_runs_where_rows_repeat) {
    base::Random random(32);
    const auto points = points_of(
        200, 2, [&](auto i, auto c) { return static_cast<double>(i * i % 37 * (c + 1) % 11); });
    for (const std::int64_t samples : {0, 3, 40})
        expect_like_runs(points, {.min_samples = samples, .selection = {}},
                         fmt::format("samples {}", samples));
    expect_like_runs(points_of(40, 2, [](auto, auto) { return 2.5; }), {.selection = {}},
                     "all rows equal");
}

Stability stability_of(const Points& points, const HdbscanOptions& options,
                       const comm::Communicator& comm) {
    auto lists = lists_for(points, options, comm);
    const auto scan = scan_sizes(lists, options, sizes);
    return measure_stability(lists, options, scan, {.subsamples = 3});
}

TEST(SizeStability, is_the_same_on_any_number_of_ranks) {
    const auto points = testing::draw_clouds(250, 3, 4, 21);
    for (const std::int64_t samples : {0, 4}) {
        const HdbscanOptions options{.min_samples = samples, .selection = {}};
        const auto together = stability_of(points, options, world());
        const auto alone = stability_of(points, options, comm::Communicator::self());
        EXPECT_EQ(together.ari, alone.ari);
        EXPECT_EQ(together.ami, alone.ami);
        EXPECT_EQ(together.clusters, alone.clusters);
        ASSERT_EQ(together.ari.size(), 3 * sizes.size());
    }
}

// A part is no more than its rows: clustered as a matrix of its own.
TEST(SizeStability, compares_with_runs_on_the_rows_alone) {
    const auto points = points_of(120, 2, [](std::int64_t i, std::int64_t c) {
        base::Random random(33, i % 100, c);  // every fifth row is there twice
        return 7.0 * static_cast<double>(i % 100 % 3) + random.normal();
    });
    const HdbscanOptions options{.selection = {}};
    const auto stability = stability_of(points, options, world());
    const auto kept = draw_rows(120, 96, 1, 2);
    Points part{96, 2, {}};
    for (const auto row : kept)
        part.values.insert(part.values.end(), points.values.begin() + 2 * row,
                           points.values.begin() + 2 * (row + 1));
    for (std::size_t s = 0; s < sizes.size(); ++s) {
        auto of_size = options;
        of_size.min_cluster_size = sizes[s];
        const auto found = testing::run_hdbscan(part, of_size);
        EXPECT_EQ(stability.clusters[s * 3 + 2], std::ssize(found.persistence));
        const auto whole = world().all_gather(testing::run_hdbscan(points, of_size).label);
        const auto label = world().all_gather(found.label);
        std::vector<std::int64_t> among_all, alone(label.begin(), label.end());
        for (const auto row : kept) among_all.push_back(whole[static_cast<std::size_t>(row)]);
        EXPECT_EQ(stability.ari[s * 3 + 2], compare(alone, among_all).ari);
    }
}

TEST(SizeStability, parts_smaller_than_a_cluster_are_noise) {
    const auto points = testing::draw_clouds(32, 2, 1, 5);  // parts of 25 rows, and size 30
    const auto stability = stability_of(points, {.selection = {}}, world());
    for (std::size_t t = 0; t < 3; ++t) EXPECT_EQ(stability.clusters[3 * 3 + t], 0);
}

TEST(SizeStability, needs_three_rows) {
    const auto points = testing::draw_clouds(3, 2, 1, 3);
    auto lists = lists_for(points, {.selection = {}}, world());
    const HdbscanOptions options{.selection = {}};
    const auto scan = scan_sizes(lists, options, std::vector<std::int64_t>{2});
    EXPECT_THROW(measure_stability(lists, options, scan, {.subsamples = 1}), InputError);
}

}  // namespace
}  // namespace nanoatlas::cluster
