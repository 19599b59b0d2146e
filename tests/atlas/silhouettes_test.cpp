// Silhouettes of single images against the mean that scores know.
#include "atlas/silhouettes.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.hpp"
#include "cluster/silhouette.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/mpi_test.hpp"

namespace nanoatlas::atlas {
namespace {

using testing::world;

struct Rows {
    std::vector<float> points;
    std::vector<std::int32_t> label;

    explicit Rows(std::int64_t count) {
        for (std::int64_t i = 0; i < count; ++i) {
            base::Random random(3, i);
            label.push_back(static_cast<std::int32_t>(i % 4));
            for (int c = 0; c < 3; ++c)
                points.push_back(
                    static_cast<float>(2 * static_cast<double>(i % 4 == c) + random.normal()));
        }
    }
};

TEST(Silhouettes, have_the_mean_that_scores_give) {
    const Rows rows(90);
    const auto found = silhouettes(rows.points, 3, rows.label, 4, 1000, world());
    ASSERT_EQ(found.value.size(), 90U);
    double mean = 0;
    for (const double value : found.value) mean += value / 90;
    const auto block = comm::row_block(90, world());
    store::Matrix<double> matrix{block, 3, {}};
    matrix.values.assign(rows.points.begin() + 3 * block.first,
                         rows.points.begin() + 3 * block.end());
    const std::vector<std::int64_t> labels(rows.label.begin(), rows.label.end());
    EXPECT_NEAR(mean, cluster::silhouette(matrix, labels, world()), 1e-12);
}

TEST(Silhouettes, of_some_are_those_of_all) {
    Rows rows(90);
    rows.label[4] = -1;
    const auto all = silhouettes(rows.points, 3, rows.label, 4, 1000, world());
    const auto some = silhouettes(rows.points, 3, rows.label, 4, 10, world());
    ASSERT_EQ(all.row.size(), 89U);
    ASSERT_EQ(some.row.size(), 10U);
    for (std::size_t i = 0; i < some.row.size(); ++i) {
        const auto place = std::ranges::find(all.row, some.row[i]) - all.row.begin();
        ASSERT_LT(place, 89);
        EXPECT_NEAR(some.value[i], all.value[static_cast<std::size_t>(place)], 1e-14);
    }
}

TEST(Silhouettes, need_two_clusters) {
    Rows rows(20);
    std::ranges::fill(rows.label, 1);
    EXPECT_TRUE(silhouettes(rows.points, 3, rows.label, 2, 100, world()).row.empty());
}

}  // namespace
}  // namespace nanoatlas::atlas
