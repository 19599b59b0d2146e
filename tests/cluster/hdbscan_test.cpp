// HDBSCAN over ranks where rows coincide, and where its options make no sense.
#include "cluster/hdbscan/hdbscan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "tests/cluster/hdbscan_points.hpp"
#include "tests/kokkos_environment.hpp"

namespace nanoatlas::cluster {
namespace {

using testing::points_of;
using testing::run_hdbscan;
using testing::world;

// As hdbscan does: rows that coincide leave their cluster at infinite density.
TEST(Hdbscan, coinciding_rows_are_certain_members) {
    const auto points =
        points_of(29, 2, [](auto i, auto) { return i < 10 ? 1.0 : (i < 22 ? 5.0 : 9.0); });
    const auto found = run_hdbscan(points, {.min_cluster_size = 5, .selection = {}});
    EXPECT_EQ(found.persistence, std::vector<double>(3, 1.0));
    const auto label = world().all_gather(found.label);
    EXPECT_NE(label[0], label[10]);
    EXPECT_NE(label[10], label[22]);
    for (const double value : found.probability) EXPECT_EQ(value, 1);
    for (const double value : found.outlier_score) EXPECT_EQ(value, 0);
}

TEST(Hdbscan, rows_beside_coinciding_ones_are_outliers) {
    const auto points = points_of(24, 1, [](auto i, auto) {
        return i < 10 ? 1.0 : (i < 20 ? 5.0 : 5.0 + 0.1 * static_cast<double>(i - 19));
    });
    const auto found = run_hdbscan(points, {.min_cluster_size = 5, .selection = {}});
    const auto label = world().all_gather(found.label);
    const auto probability = world().all_gather(found.probability);
    const auto score = world().all_gather(found.outlier_score);
    for (std::size_t i = 20; i < 24; ++i) {
        EXPECT_EQ(label[i], label[10]);
        EXPECT_EQ(probability[i], 0);
        EXPECT_EQ(score[i], 1);
    }
}

TEST(Hdbscan, all_rows_equal_are_noise_or_one_cluster) {
    const auto points = points_of(50, 3, [](auto, auto) { return 2.5; });
    auto found = run_hdbscan(points, {.min_cluster_size = 5, .selection = {}});
    EXPECT_TRUE(std::ranges::all_of(found.label, [](auto label) { return label == -1; }));
    found =
        run_hdbscan(points, {.min_cluster_size = 5, .selection = {.allow_single_cluster = true}});
    EXPECT_TRUE(std::ranges::all_of(found.label, [](auto label) { return label == 0; }));
    EXPECT_TRUE(std::ranges::all_of(found.probability, [](double value) { return value == 1; }));
}

void expect_refused(const HdbscanOptions& options, const std::string& word) {
    const auto points = points_of(10, 2, [](auto i, auto c) { return static_cast<double>(i + c); });
    try {
        run_hdbscan(points, options);
        ADD_FAILURE() << "accepted; expected to hear of " << word;
    } catch (const InputError& error) {
        EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    }
}

TEST(Hdbscan, refuses_what_makes_no_sense) {
    expect_refused({.min_cluster_size = 1, .selection = {}}, "--min-cluster-size is 1");
    expect_refused({.min_cluster_size = 11, .selection = {}}, "10 rows");
    expect_refused({.min_samples = -1, .selection = {}}, "--min-samples");
    expect_refused({.alpha = 0, .selection = {}}, "--alpha");
    expect_refused({.selection = {.epsilon = -0.5}}, "--epsilon");
    expect_refused({.selection = {.epsilon = std::nan("")}}, "--epsilon");
    expect_refused({.selection = {.max_cluster_size = -3}}, "--max-cluster-size");
}

}  // namespace
}  // namespace nanoatlas::cluster
