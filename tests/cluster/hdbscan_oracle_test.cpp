// HDBSCAN against what the hdbscan package gives on files of ../shared.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/random.hpp"
#include "cluster/hdbscan/hdbscan.hpp"
#include "cluster/hdbscan/membership.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/mpi_test.hpp"
#include "tests/shared_data.hpp"

namespace nanoatlas::cluster {
namespace {

using testing::world;

std::string oracle(const std::string& name) {
    return (testing::shared_data() / "oracles" / name).string();
}

struct Row {
    std::int32_t label = -1;
    double probability = 0, outlier_score = 0;

    bool equals(const Row& other) const {
        return label == other.label && std::abs(probability - other.probability) < 1e-9 &&
               std::abs(outlier_score - other.outlier_score) < 1e-9;
    }
};
using Rows = std::vector<Row>;

Rows read_rows(const std::string& name) {
    std::ifstream file(oracle(name));
    Rows rows;
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
        std::replace(line.begin(), line.end(), ',', ' ');
        std::istringstream words(line);
        Row row;
        words >> row.label >> row.probability >> row.outlier_score;
        rows.push_back(row);
    }
    return rows;
}

Rows rows_of(const Hdbscan& found) {
    Rows own;
    for (std::size_t i = 0; i < found.label.size(); ++i)
        own.push_back({found.label[i], found.probability[i], found.outlier_score[i]});
    return world().all_gather(own);
}

Rows rows_of(const SpanningTree& tree, const HdbscanOptions& options) {
    const auto condensed = condense(single_linkage(tree), options.min_cluster_size);
    const auto selected = select_clusters(condensed, options.selection);
    const auto label = labels(condensed, selected, options.selection);
    const auto probability = probabilities(condensed, selected, label);
    const auto score = outlier_scores(condensed);
    Rows rows;
    for (std::size_t i = 0; i < label.size(); ++i)
        rows.push_back({label[i], probability[i], score[i]});
    return rows;
}

double weight_of(const SpanningTree& tree) {
    return std::accumulate(tree.begin(), tree.end(), 0.0,
                           [](double sum, const auto& edge) { return sum + edge.weight; });
}

Hdbscan run(const std::string& points, const HdbscanOptions& options) {
    base::PhaseTimes phases;
    return hdbscan(store::read_matrix<double>(oracle(points), world()), options, phases, world());
}

// Edges of equal weight in another order, of which there are as many as seeds.
SpanningTree shuffled(SpanningTree tree, std::uint64_t seed) {
    base::Random random(31, seed);
    for (auto first = tree.begin(); first != tree.end();) {
        const auto end = std::find_if(
            first, tree.end(), [&](const auto& edge) { return edge.weight != first->weight; });
        for (auto left = end - first; left > 1; --left)
            std::swap(
                first[left - 1],
                first[static_cast<std::ptrdiff_t>(random.below(static_cast<std::uint64_t>(left)))]);
        first = end;
    }
    return tree;
}

// A row whose core distance is its edge to two clusters goes to either; the package takes edges of
// equal weight in the order of an unstable sort, which differs between processors. So a row is as
// it says if it is under one of many orders, and two at most have another label under ours.
void expect_rows(const Hdbscan& found, const Rows& expected, const HdbscanOptions& options,
                 const std::string& what) {
    const auto rows = rows_of(found);
    ASSERT_EQ(rows.size(), expected.size());
    std::vector<std::size_t> open;
    std::int64_t other_labels = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        other_labels += rows[i].label != expected[i].label;
        if (!rows[i].equals(expected[i])) open.push_back(i);
    }
    EXPECT_LE(other_labels, 2) << what;
    for (std::uint64_t seed = 0; seed < 300 && !open.empty(); ++seed) {
        const auto other = rows_of(shuffled(found.tree, seed), options);
        std::erase_if(open, [&](std::size_t i) { return other[i].equals(expected[i]); });
    }
    EXPECT_TRUE(open.empty()) << what << ": row " << open.front() << " of " << open.size();
}

TEST(HdbscanOracle, real_features) {
    NEEDS_SHARED("oracles/ncm-features/embedding.npy");
    const auto facts = nlohmann::json::parse(std::ifstream(oracle("ncm-features/oracle.json")));
    for (const auto& [size, samples, method] :
         {std::tuple{5, 5, "eom"}, {10, 5, "eom"}, {10, 10, "leaf"}, {20, 5, "leaf"}}) {
        const HdbscanOptions options{
            .min_cluster_size = size,
            .min_samples = samples,
            .selection = {.method = std::string(method) == "leaf" ? Selection::leaf
                                                                  : Selection::excess_of_mass}};
        const auto name = fmt::format("hdbscan_{}_{}_{}", size, samples, method);
        const auto found = run("ncm-features/embedding.npy", options);
        const double weight = facts[name]["mst_total_weight"];
        EXPECT_NEAR(weight_of(found.tree), weight, 1e-10 * weight);
        EXPECT_EQ(found.selected.count(), facts[name]["clusters"].get<std::size_t>());
        expect_rows(found, read_rows("ncm-features/" + name + ".csv"), options, name);
    }
}

TEST(HdbscanOracle, blobs_in_50_dimensions) {
    NEEDS_SHARED("oracles/blobs/points.npy");
    const auto facts = nlohmann::json::parse(std::ifstream(oracle("blobs/oracle.json")));
    const auto found = run("blobs/points.npy", {.min_cluster_size = 20, .selection = {}});
    const double weight = facts["mst_total_weight"];
    EXPECT_NEAR(weight_of(found.tree), weight, 1e-10 * weight);
    EXPECT_EQ(found.selected.count(), 60U);
    const auto expected = read_rows("blobs/hdbscan_20_20_eom.csv");
    const auto rows = rows_of(found);
    ASSERT_EQ(rows.size(), expected.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        ASSERT_EQ(rows[i].label, expected[i].label) << i;
        ASSERT_NEAR(rows[i].probability, expected[i].probability, 1e-9) << i;
    }
}

}  // namespace
}  // namespace nanoatlas::cluster
