// Scores of clusters by their own rows, against their definitions written out, and bootstraps.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "cluster/bootstrap.hpp"
#include "cluster/density_validity.hpp"
#include "cluster/scatter_scores.hpp"
#include "tests/cluster/points.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/mpi_test.hpp"
#include "tests/shared_data.hpp"

namespace nanoatlas::cluster {
namespace {

using Labels = std::vector<std::int64_t>;
using Rows = std::vector<std::vector<double>>;
using testing::Points;
using testing::world;

double distance(const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0;
    for (std::size_t c = 0; c < a.size(); ++c) sum += (a[c] - b[c]) * (a[c] - b[c]);
    return std::sqrt(sum);
}

std::map<std::int64_t, Rows> by_label(const Points& points, const Labels& labels) {
    std::map<std::int64_t, Rows> clusters;
    const auto columns = static_cast<std::size_t>(points.columns);
    for (std::size_t i = 0; i < labels.size(); ++i)
        clusters[labels[i]].emplace_back(&points.values[i * columns],
                                         &points.values[i * columns] + columns);
    return clusters;
}

std::vector<double> mean_of(const Rows& rows) {
    std::vector<double> mean(rows[0].size());
    for (const auto& row : rows)
        for (std::size_t c = 0; c < mean.size(); ++c)
            mean[c] += row[c] / static_cast<double>(rows.size());
    return mean;
}

ScatterScores plain_scatter(const Points& points, const Labels& labels) {
    const auto clusters = by_label(points, labels);
    Rows all, means;
    std::vector<double> spread;
    double between = 0, within = 0;
    for (const auto& [label, rows] : clusters) all.insert(all.end(), rows.begin(), rows.end());
    for (const auto& [label, rows] : clusters) {
        means.push_back(mean_of(rows));
        between +=
            static_cast<double>(rows.size()) * std::pow(distance(means.back(), mean_of(all)), 2);
        double sum = 0;
        for (const auto& row : rows) {
            sum += distance(row, means.back());
            within += std::pow(distance(row, means.back()), 2);
        }
        spread.push_back(sum / static_cast<double>(rows.size()));
    }
    double worst_of_all = 0;
    for (std::size_t a = 0; a < means.size(); ++a) {
        double worst = 0;
        for (std::size_t b = 0; b < means.size(); ++b)
            if (a != b)
                worst = std::max(worst, (spread[a] + spread[b]) / distance(means[a], means[b]));
        worst_of_all += worst / static_cast<double>(means.size());
    }
    const auto n = static_cast<double>(all.size()), k = static_cast<double>(means.size());
    return {worst_of_all, between * (n - k) / (within * (k - 1))};
}

// Of one cluster, with the whole matrix of distances.
struct PlainTree {
    std::vector<double> core;
    std::vector<int> degree;
    double sparseness = -1;

    explicit PlainTree(const Rows& rows) : core(rows.size()), degree(rows.size()) {
        const auto n = rows.size();
        const auto d = static_cast<double>(rows[0].size());
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < n; ++j)
                if (distance(rows[i], rows[j]) > 0)
                    core[i] += std::pow(distance(rows[i], rows[j]), -d);
            core[i] = std::pow(core[i] / static_cast<double>(n - 1), -1 / d);
        }
        const auto reach = [&](std::size_t i, std::size_t j) {
            return std::max({distance(rows[i], rows[j]), core[i], core[j]});
        };
        std::vector<std::size_t> tree{0};
        std::vector<std::array<std::size_t, 2>> edges;
        while (tree.size() < n) {
            std::size_t best = n;
            double least = 0;
            for (std::size_t j = 0; j < n; ++j) {
                if (std::find(tree.begin(), tree.end(), j) != tree.end()) continue;
                for (const auto i : tree)
                    if (best == n || reach(i, j) < least) {
                        best = j;
                        least = reach(i, j);
                    }
            }
            std::sort(tree.begin(), tree.end());
            const auto parent = *std::find_if(tree.begin(), tree.end(), [&](auto i) {
                return std::abs(reach(i, best) - least) <= 1e-8 + 1e-5 * least;
            });
            edges.push_back({parent, best});
            ++degree[parent];
            ++degree[best];
            tree.push_back(best);
        }
        double longest = 0;
        for (const auto& [a, b] : edges) {
            longest = std::max(longest, reach(a, b));
            if (degree[a] > 1 && degree[b] > 1) sparseness = std::max(sparseness, reach(a, b));
        }
        if (sparseness < 0) sparseness = longest;
        if (n == 2) degree[0] = 2;
    }
};

double plain_validity(const Points& points, const Labels& labels) {
    auto clusters = by_label(points, labels);
    std::erase_if(clusters, [](const auto& cluster) {
        return cluster.first < 0 || cluster.second.size() < 2;
    });
    double sum = 0;
    for (const auto& [a, rows] : clusters) {
        const PlainTree own(rows);
        double separation = std::numeric_limits<double>::infinity();
        for (const auto& [b, others] : clusters) {
            if (a == b) continue;
            const PlainTree other(others);
            for (std::size_t i = 0; i < rows.size(); ++i)
                for (std::size_t j = 0; j < others.size(); ++j)
                    if (own.degree[i] > 1 && other.degree[j] > 1)
                        separation = std::min(separation, std::max({distance(rows[i], others[j]),
                                                                    own.core[i], other.core[j]}));
        }
        sum += static_cast<double>(rows.size()) * (separation - own.sparseness) /
               std::max(separation, own.sparseness);
    }
    return sum / static_cast<double>(labels.size());
}

/// Labels that follow the first column, with some noise.
Labels draw_labels(const Points& points, std::uint64_t seed, bool noise) {
    Labels labels;
    base::Random random(91, seed);
    for (std::int64_t i = 0; i < points.rows; ++i) {
        const double x = points.values[static_cast<std::size_t>(i * points.columns)];
        labels.push_back(noise && random.chance(0.1) ? -1 : x < -2 ? 0 : x < 2 ? 4 : 7);
    }
    return labels;
}

TEST(InternalScores, agree_with_their_definitions) {
    for (std::uint64_t trial = 0; trial < 8; ++trial) {
        base::Random random(92, trial);
        const auto rows = 30 + static_cast<std::int64_t>(random.below(90));
        const auto columns = 1 + static_cast<std::int64_t>(random.below(8));
        const auto points = testing::draw_clouds(rows, columns, 4, trial);
        const auto labels = draw_labels(points, trial, true);
        SCOPED_TRACE(fmt::format("trial {}: {} x {}", trial, rows, columns));
        const auto matrix = points.block(world());
        const auto scatter = scatter_scores(matrix, labels, world());
        const auto expected = plain_scatter(points, labels);
        EXPECT_NEAR(scatter.davies_bouldin, expected.davies_bouldin,
                    1e-11 * expected.davies_bouldin);
        EXPECT_NEAR(scatter.calinski_harabasz, expected.calinski_harabasz,
                    1e-11 * expected.calinski_harabasz);
        const double validity = density_validity(matrix, labels, world());
        EXPECT_NEAR(validity, plain_validity(points, labels), 1e-11);
        // To the bit what one rank alone finds.
        const auto self = comm::Communicator::self();
        const auto whole = points.block(self);
        EXPECT_EQ(validity, density_validity(whole, labels, self));
        EXPECT_EQ(scatter.davies_bouldin, scatter_scores(whole, labels, self).davies_bouldin);
        EXPECT_EQ(scatter.calinski_harabasz, scatter_scores(whole, labels, self).calinski_harabasz);
    }
}

TEST(InternalScores, small_clusters_and_rows_that_coincide) {
    Points points{9, 1, {0, 1, 5, 5.5, 9, 9, 9, 20, 30}};
    const Labels labels{0, 0, 1, 1, 2, 2, 2, 3, -1};  // two pairs, three equal rows, one alone
    const auto matrix = points.block(world());
    // Separations: 4 of the pairs (cores 1 and 0.5), 4 of the pair at 5 and the equal rows.
    const double expected = (2 * (5 - 1) / 5.0 + 2 * (4 - 0.5) / 4 + 3 * 1.0) / 9;
    EXPECT_NEAR(density_validity(matrix, labels, world()), expected, 1e-12);
    EXPECT_TRUE(std::isnan(density_validity(matrix, Labels(9, 3), world())));
    EXPECT_TRUE(std::isnan(scatter_scores(matrix, Labels(9, 3), world()).davies_bouldin));
    // As scikit-learn has it: rows all on their centroids.
    const auto tight =
        scatter_scores(Points{4, 1, {1, 1, 3, 3}}.block(world()), Labels{0, 0, 1, 1}, world());
    EXPECT_EQ(tight.davies_bouldin, 0);
    EXPECT_EQ(tight.calinski_harabasz, 1);
}

TEST(InternalScores, powers_stay_in_range_in_many_dimensions) {
    auto points = testing::draw_clouds(60, 400, 2, 5);
    const auto labels = draw_labels(points, 5, false);
    for (auto& value : points.values) value *= 1e-3;
    const double validity = density_validity(points.block(world()), labels, world());
    EXPECT_TRUE(std::isfinite(validity));
    for (auto& value : points.values) value *= 1024;
    EXPECT_NEAR(density_validity(points.block(world()), labels, world()), validity, 1e-12);
}

// What scikit-learn and hdbscan.validity.validity_index give.
TEST(InternalScores, oracle_ncm_features) {
    NEEDS_SHARED("oracles/ncm-features/oracle.json");
    const auto folder = testing::shared_data() / "oracles/ncm-features";
    const auto expected = nlohmann::json::parse(
        std::ifstream(folder / "oracle.json"))["scores_of_adp_Z1.65_against_truth"];
    const auto matrix = store::read_matrix<double>(folder / "embedding.npy", world());
    const auto labels = store::read_labels(folder / "adp_Z1.65.csv", world());
    const auto scatter = scatter_scores(matrix, labels, world());
    EXPECT_NEAR(scatter.davies_bouldin, expected["davies_bouldin"], 1e-12);
    EXPECT_NEAR(scatter.calinski_harabasz, expected["calinski_harabasz"], 1e-10);
    EXPECT_NEAR(density_validity(matrix, labels, world()), -0.13513446364906806, 1e-12);
    const auto with_noise = store::read_labels(folder / "hdbscan_5_5_eom.csv", world());
    EXPECT_NEAR(density_validity(matrix, with_noise, world()), 0.29813090766782424, 1e-12);
}

TEST(Bootstrap, is_a_function_of_the_seed_and_holds_what_it_should) {
    Labels clusters, truth;
    std::vector<double> values;
    for (std::int64_t i = 0; i < 400; ++i) {
        base::Random random(93, i);
        truth.push_back(i % 4);
        clusters.push_back(random.chance(0.2) ? static_cast<std::int64_t>(random.below(4)) : i % 4);
        values.push_back(random.normal());
    }
    const BootstrapOptions options{.replicates = 200, .seed = 3};
    const auto found = bootstrap_scores(clusters, truth, options, world());
    const auto self = comm::Communicator::self();
    const auto alone = bootstrap_scores(clusters, truth, options, self);
    const auto scores = compare(clusters, truth);
    for (const auto& [interval, same, score] : {std::tuple{found.nmi, alone.nmi, scores.nmi},
                                                {found.ami, alone.ami, scores.ami},
                                                {found.ari, alone.ari, scores.ari}}) {
        EXPECT_EQ(interval.low, same.low);
        EXPECT_EQ(interval.high, same.high);
        EXPECT_LT(interval.low, score);
        EXPECT_GT(interval.high, score);
        EXPECT_LT(interval.high - interval.low, 0.25);
    }
    // The mean of 400 normal numbers has a standard error of 0.05.
    const auto mean = bootstrap_mean(values, options, world());
    EXPECT_EQ(mean.low, bootstrap_mean(values, options, self).low);
    EXPECT_NEAR(mean.high - mean.low, 2 * 1.96 * 0.05, 0.04);
    EXPECT_NE(mean.low, bootstrap_mean(values, {.replicates = 200, .seed = 4}, world()).low);
}

TEST(Bootstrap, drawings_may_lack_a_cluster_and_percentiles_lie_between) {
    const auto found =
        bootstrap_scores(Labels{0, 0, 1, 5}, Labels{1, 1, 2, 2}, {.replicates = 60}, world());
    EXPECT_GE(found.nmi.low, 0);
    EXPECT_LE(found.nmi.high, 1 + 1e-12);
    const auto constant = bootstrap_mean(std::vector<double>{2, 2, 2}, {.replicates = 7}, world());
    EXPECT_EQ(constant.low, 2);
    EXPECT_EQ(constant.high, 2);
}

}  // namespace
}  // namespace nanoatlas::cluster
