#include "cluster/scores.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/check.hpp"
#include "base/random.hpp"
#include "store/matrix.hpp"
#include "tests/mpi_test.hpp"
#include "tests/shared_data.hpp"

namespace nanoatlas::cluster {
namespace {

using Labels = std::vector<std::int64_t>;

Labels random_labels(std::size_t rows, std::uint64_t kinds, base::Random random) {
    Labels labels(rows);
    for (auto& label : labels) label = static_cast<std::int64_t>(random.below(kinds)) - 1;
    return labels;
}

/// Eq. 24a of Vinh, Epps, Bailey as it stands, with factorials by lgamma.
double plain_expected_information(const Labels& a, const Labels& b, std::int64_t rows) {
    const auto N = static_cast<double>(rows);
    const auto f = [](double x) { return std::lgamma(x + 1); };
    double sum = 0;
    for (const auto ai : a)
        for (const auto bj : b)
            for (auto n = std::max<std::int64_t>(1, ai + bj - rows); n <= std::min(ai, bj); ++n) {
                const auto x = static_cast<double>(ai), y = static_cast<double>(bj);
                const auto z = static_cast<double>(n);
                sum += z / N * std::log(N * z / (x * y)) *
                       std::exp(f(x) + f(y) + f(N - x) + f(N - y) - f(N) - f(z) - f(x - z) -
                                f(y - z) - f(N - x - y + z));
            }
    return sum;
}

struct Pairs {
    double both = 0, cluster_only = 0, class_only = 0, neither = 0;
};
Pairs count_pairs(const Labels& clusters, const Labels& truth) {
    Pairs pairs;
    for (std::size_t i = 0; i < truth.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) {
            const bool cluster = clusters[i] == clusters[j], same = truth[i] == truth[j];
            ++(cluster ? (same ? pairs.both : pairs.cluster_only)
                       : (same ? pairs.class_only : pairs.neither));
        }
    return pairs;
}

TEST(Scores, pair_scores_agree_with_counting_pairs) {
    for (int trial = 0; trial < 200; ++trial) {
        base::Random random(30, trial);
        const auto rows = 2 + random.below(60);
        const auto clusters = random_labels(rows, 1 + random.below(8), base::Random(31, trial));
        const auto truth = random_labels(rows, 1 + random.below(8), base::Random(32, trial));
        const auto [both, cluster_only, class_only, neither] = count_pairs(clusters, truth);
        const double all = both + cluster_only + class_only + neither;
        const double chance = (both + cluster_only) * (both + class_only) / all;
        const double most = (2 * both + cluster_only + class_only) / 2;
        const auto scores = compare(clusters, truth);
        if (cluster_only + class_only == 0) {
            EXPECT_EQ(scores.ari, 1);
        } else if (most != chance) {
            EXPECT_NEAR(scores.ari, (both - chance) / (most - chance), 1e-12);
        }
        const double expected =
            both > 0 ? both / std::sqrt((both + cluster_only) * (both + class_only)) : 0;
        EXPECT_NEAR(scores.fowlkes_mallows, expected, 1e-12);
    }
}

TEST(Scores, expected_information_agrees_with_the_formula) {
    for (int trial = 0; trial < 60; ++trial) {
        base::Random random(33, trial);
        const auto rows = static_cast<std::int64_t>(2 + random.below(400));
        const auto table =
            contingency(random_labels(static_cast<std::size_t>(rows), 1 + random.below(30),
                                      base::Random(34, trial)),
                        random_labels(static_cast<std::size_t>(rows), 1 + random.below(30),
                                      base::Random(35, trial)));
        EXPECT_NEAR(expected_mutual_information(table.cluster_sizes, table.class_sizes, rows),
                    plain_expected_information(table.cluster_sizes, table.class_sizes, rows),
                    1e-11);
    }
    // Large and unequal: the walk from the mode must not lose weight.
    const Labels sizes{100000, 50000, 7, 1, 1}, classes{149000, 1000, 9};
    EXPECT_NEAR(expected_mutual_information(sizes, classes, 150009),
                plain_expected_information(sizes, classes, 150009), 1e-9);
}

TEST(Scores, known_corners) {
    const auto perfect = compare(Labels{5, 5, 9, 9, -1}, Labels{0, 0, 1, 1, 2});
    for (const double score :
         {perfect.nmi, perfect.ami, perfect.ari, perfect.homogeneity, perfect.completeness,
          perfect.v_measure, perfect.fowlkes_mallows, perfect.purity})
        EXPECT_NEAR(score, 1, 1e-12);
    // As scikit-learn: one cluster and one class agree; one cluster of several classes says
    // nothing.
    const auto single = compare(Labels{3, 3, 3}, Labels{0, 0, 0});
    EXPECT_EQ(single.nmi, 1);
    EXPECT_EQ(single.ami, 1);
    EXPECT_EQ(single.ari, 1);
    EXPECT_EQ(single.v_measure, 1);
    const auto lumped = compare(Labels{0, 0, 0, 0}, Labels{0, 0, 1, 1});
    EXPECT_EQ(lumped.nmi, 0);
    EXPECT_EQ(lumped.ari, 0);
    EXPECT_EQ(lumped.homogeneity, 0);
    EXPECT_EQ(lumped.completeness, 1);
    EXPECT_EQ(lumped.purity, 0.5);
    const auto apart = compare(Labels{0, 1, 2, 3}, Labels{0, 0, 1, 1});
    EXPECT_EQ(apart.fowlkes_mallows, 0);
    EXPECT_EQ(apart.homogeneity, 1);
    EXPECT_NEAR(apart.ami, 0, 1e-9);
    EXPECT_THROW(compare(Labels{1}, Labels{1, 2}), InputError);
    EXPECT_THROW(compare(Labels{}, Labels{}), InputError);
}

TEST(Scores, purity_counts_the_commonest_class_of_each_cluster) {
    EXPECT_DOUBLE_EQ(compare(Labels{0, 0, 0, 1, 1, 2}, Labels{7, 7, 8, 8, 8, 7}).purity, 5.0 / 6);
}

TEST(Scores, many_clusters_are_quick) {
    constexpr std::size_t rows = 200000;
    const auto scores = compare(random_labels(rows, 20000, base::Random(36)),
                                random_labels(rows, 5000, base::Random(37)));
    EXPECT_NEAR(scores.ami, 0, 0.01);
    EXPECT_NEAR(scores.ari, 0, 0.001);
}

TEST(Scores, oracle_of_density_peaks_on_features) {
    NEEDS_SHARED("oracles/ncm-features/oracle.json");
    const auto folder = testing::shared_data() / "oracles/ncm-features";
    const auto expected = nlohmann::json::parse(
        std::ifstream(folder / "oracle.json"))["scores_of_adp_Z1.65_against_truth"];
    const auto scores = compare(store::read_labels(folder / "adp_Z1.65.csv", testing::world()),
                                store::read_labels(folder / "truth.npy", testing::world()));
    EXPECT_NEAR(scores.nmi, expected["nmi"], 1e-12);
    EXPECT_NEAR(scores.ami, expected["ami"], 1e-12);
    EXPECT_NEAR(scores.ari, expected["ari"], 1e-12);
    EXPECT_NEAR(scores.homogeneity, expected["homogeneity"], 1e-12);
    EXPECT_NEAR(scores.completeness, expected["completeness"], 1e-12);
    EXPECT_NEAR(scores.fowlkes_mallows, expected["fowlkes_mallows"], 1e-12);
}

TEST(Scores, oracle_of_density_peaks_on_20000_points) {
    NEEDS_SHARED("oracles/dpa_fig1_gt.txt");
    const auto folder = testing::shared_data() / "oracles";
    const auto scores =
        compare(store::read_labels(folder / "output_Fig1_labels.csv", testing::world()),
                store::read_labels(folder / "dpa_fig1_gt.txt", testing::world()));
    EXPECT_NEAR(scores.nmi, 0.745609, 5e-7);
    EXPECT_NEAR(scores.ami, 0.745423, 5e-7);
    EXPECT_NEAR(scores.ari, 0.669140, 5e-7);
    EXPECT_NEAR(scores.homogeneity, 0.751434, 5e-7);
    EXPECT_NEAR(scores.completeness, 0.739874, 5e-7);
    EXPECT_NEAR(scores.fowlkes_mallows, 0.728451, 5e-7);
}

}  // namespace
}  // namespace nanoatlas::cluster
