// The least spanning tree of mutual reachability over ranks, against the plain one.
#include "cluster/spanning_tree.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "cluster/hdbscan/membership.hpp"
#include "kernels/reference/spanning_tree.hpp"
#include "tests/cluster/hdbscan_points.hpp"
#include "tests/kokkos_environment.hpp"

namespace nanoatlas::cluster {
namespace {

using testing::Points;
using testing::points_of;
using testing::run_hdbscan;
using testing::world;

// The same tree, edge by edge, and so the same labels, on every rank.
void expect_like_reference(const Points& points, const HdbscanOptions& options,
                           const std::string& what) {
    const auto samples = options.min_samples > 0 ? options.min_samples : options.min_cluster_size;
    const auto expected = kernels::reference::spanning_tree(
        points.values, static_cast<std::size_t>(points.columns),
        static_cast<std::size_t>(std::min(samples, points.rows - 1)), options.alpha);
    const auto found = run_hdbscan(points, options);
    ASSERT_EQ(found.tree.size(), expected.size()) << what;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_EQ(found.tree[i].low, expected[i].low) << what << ", edge " << i;
        ASSERT_EQ(found.tree[i].high, expected[i].high) << what << ", edge " << i;
        ASSERT_NEAR(found.tree[i].weight, expected[i].weight, 1e-13 * expected[i].weight) << what;
    }
    const auto condensed = condense(single_linkage(expected), options.min_cluster_size);
    const auto selected = select_clusters(condensed, options.selection);
    ASSERT_EQ(world().all_gather(found.label), labels(condensed, selected, options.selection))
        << what;
}

TEST(SpanningTree, agrees_with_reference_on_random_shapes) {
    for (std::uint64_t trial = 0; trial < 24; ++trial) {
        base::Random random(21, trial);
        const auto rows = static_cast<std::int64_t>(2 + random.below(300));
        const auto columns = static_cast<std::int64_t>(1 + random.below(40));
        const auto samples = static_cast<std::int64_t>(1 + random.below(20));
        const auto points =
            testing::draw_clouds(rows, columns, 1 + static_cast<int>(random.below(9)), trial);
        const double alpha = std::array{1.0, 0.6, 1.7}[trial % 3];
        expect_like_reference(
            points,
            {.min_cluster_size = 2, .min_samples = samples, .alpha = alpha, .selection = {}},
            fmt::format("{} x {}, samples {}, alpha {}", rows, columns, samples, alpha));
    }
}

// Lists end within the clouds: what joins these must be searched, between planes.
TEST(SpanningTree, joins_far_clouds_of_many_rows) {
    for (const std::int64_t columns : {2, 13, 50}) {
        const auto points = points_of(1000, columns, [&](std::int64_t i, std::int64_t c) {
            base::Random cloud(22, i % 10, c), row(23, i, c);
            return 30 * cloud.normal() + (0.5 + 0.1 * static_cast<double>(i % 10)) * row.normal();
        });
        expect_like_reference(points, {.min_cluster_size = 10, .selection = {}},
                              fmt::format("{} columns", columns));
    }
}

TEST(SpanningTree, equal_weights_go_by_distance_and_rows) {
    base::Random random(24);
    for (const std::uint64_t side : {3, 6, 12}) {
        const auto points =
            points_of(250, 2, [&](auto, auto) { return static_cast<double>(random.below(side)); });
        for (const std::int64_t samples : {1, 4, 30})
            expect_like_reference(points,
                                  {.min_cluster_size = 5, .min_samples = samples, .selection = {}},
                                  fmt::format("side {}, samples {}", side, samples));
    }
}

TEST(SpanningTree, awkward_shapes) {
    base::Random random(25);
    const HdbscanOptions options{.min_cluster_size = 5, .selection = {}};
    expect_like_reference(
        points_of(200, 3, [](auto i, auto c) { return static_cast<double>(i * (c + 1)); }), options,
        "on a line");
    expect_like_reference(
        points_of(200, 4, [&](auto, auto c) { return c % 2 == 0 ? 7.0 : random.normal(); }),
        options, "constant columns");
    expect_like_reference(points_of(300, 5, [&](auto, auto) { return 1e8 + random.normal(); }),
                          options, "far from zero");
    expect_like_reference(
        points_of(400, 3,
                  [&](auto i, auto) { return (i % 2 == 0 ? -1.0 : 1.0) + 1e-9 * random.normal(); }),
        options, "clumps that f32 blurs");
    expect_like_reference(points_of(150, 2,
                                    [&](auto i, auto) {
                                        return i % 3 == 0 ? 1e-310 * static_cast<double>(i)
                                                          : random.normal();
                                    }),
                          options, "denormals");
    expect_like_reference(points_of(6, 2, [&](auto, auto) { return random.normal(); }), options,
                          "one row more than samples");
    expect_like_reference(points_of(2, 1, [](auto i, auto) { return static_cast<double>(i); }),
                          {.min_cluster_size = 2, .selection = {}}, "two rows");
}

TEST(SpanningTree, repeated_rows) {
    base::Random random(26);
    std::vector<double> place(40);
    for (auto& value : place) value = random.normal();
    for (const std::int64_t different : {1, 3, 20}) {
        const auto points = points_of(120, 2, [&](auto i, auto c) {
            return place[static_cast<std::size_t>(2 * (i * i % different) + c)];
        });
        for (const std::int64_t samples : {1, 8, 70})
            expect_like_reference(points,
                                  {.min_cluster_size = 6, .min_samples = samples, .selection = {}},
                                  fmt::format("{} different, samples {}", different, samples));
    }
}

}  // namespace
}  // namespace nanoatlas::cluster
