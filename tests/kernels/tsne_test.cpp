#include "kernels/reference/tsne.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "base/random.hpp"
#include "kernels/kokkos/attraction.hpp"
#include "kernels/kokkos/repulsion.hpp"
#include "kernels/kokkos/space_order.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/shrunk.hpp"

namespace nanoatlas::kernels {
namespace {

/// Clumps, single points far away, and some points that coincide.
std::vector<float> random_map(std::size_t n, std::size_t dimensions, double scale, int trial) {
    std::vector<float> y;
    for (std::size_t i = 0; i < n; ++i) {
        base::Random random(71, trial, i % 11 == 10 ? i - 1 : i);
        const auto clump = random.below(7);
        base::Random place(72, trial, clump);
        const double spread = clump == 6 ? 3 : 0.4;
        for (std::size_t c = 0; c < dimensions; ++c)
            y.push_back(static_cast<float>(scale * (place.normal() + spread * random.normal())));
    }
    return y;
}

std::vector<std::int32_t> order_of(const std::vector<float>& y, std::size_t dimensions) {
    return kokkos::space_order(std::vector<double>(y.begin(), y.end()), dimensions,
                               kokkos::repulsion_leaf);
}

struct Errors {
    double force = 0, weight = 0;  // the largest, of the sums of magnitudes
    double mean_force = 0, mean_weight = 0;
};

Errors errors_of(const std::vector<float>& y, std::size_t dimensions,
                 const std::vector<std::int32_t>& order, double theta) {
    const auto n = order.size(), leaves = kokkos::repulsion_leaves(n);
    const auto found = kokkos::repulsion(y, dimensions, order, theta, 0, leaves);
    const auto expected = reference::repulsion(y, dimensions);
    Errors errors;
    for (std::size_t place = 0; place < n; ++place) {
        const auto row = static_cast<std::size_t>(order[place]);
        double squared = 0;
        for (std::size_t c = 0; c < dimensions; ++c) {
            const double d =
                found.force[place * dimensions + c] - expected.force[row * dimensions + c];
            squared += d * d;
        }
        const double error = std::sqrt(squared) / std::max(1e-30, expected.magnitude[row]);
        if (expected.magnitude[row] == 0)
            EXPECT_EQ(squared, 0);
        else
            errors.force = std::max(errors.force, error);
        errors.mean_force += error / static_cast<double>(n);
    }
    for (std::size_t leaf = 0; leaf < leaves; ++leaf) {
        double sum = 0;
        for (std::size_t place = leaf * kokkos::repulsion_leaf;
             place < std::min(n, (leaf + 1) * kokkos::repulsion_leaf); ++place)
            sum += expected.weight[static_cast<std::size_t>(order[place])];
        const double error = std::abs(found.weight[leaf] - sum) / std::max(1e-30, sum);
        if (n > 1) errors.weight = std::max(errors.weight, error);
        errors.mean_weight += error / static_cast<double>(leaves);
    }
    return errors;
}

TEST(Repulsion, over_all_pairs_agrees_with_reference_on_random_shapes) {
    for (int trial = 0; trial < 40; ++trial) {
        base::Random random(70, trial);
        const auto n = 1 + random.below(trial < 20 ? 100 : 1500), dimensions = 2 + random.below(2);
        const auto y = random_map(n, dimensions, trial % 3 == 0 ? 1e-4 : 10, trial);
        const auto errors = errors_of(y, dimensions, order_of(y, dimensions), 0);
        EXPECT_LT(errors.force, 1e-6) << n;
        EXPECT_LT(errors.weight, 1e-6) << n;
    }
}

TEST(Repulsion, by_a_tree_is_within_its_bound_and_better_for_a_smaller_theta) {
    double force = 0, coarse = 0, fine = 0;
    for (int trial = 0; trial < testing::shrunk(20); ++trial) {
        base::Random random(73, trial);
        const auto n = 200 + random.below(1500), dimensions = 2 + random.below(2);
        const auto y = random_map(n, dimensions, std::pow(10, trial % 4 - 1), trial);
        const auto order = order_of(y, dimensions);
        const auto half = errors_of(y, dimensions, order, 0.5);
        const auto quarter = errors_of(y, dimensions, order, 0.25);
        EXPECT_LT(half.force, 0.02) << n;
        EXPECT_LT(half.weight, 0.02) << n;
        EXPECT_LT(half.mean_force, 0.002) << n;
        force = std::max(force, half.force);
        coarse += half.mean_force;
        fine += quarter.mean_force;
    }
    EXPECT_GT(force, 1e-5) << "the tree was not used";
    EXPECT_LT(fine, 0.4 * coarse);
}

TEST(Repulsion, any_order_will_do) {
    const auto y = random_map(900, 2, 10, 5);
    std::vector<std::int32_t> order(900);
    std::iota(order.begin(), order.end(), 0);
    EXPECT_LT(errors_of(y, 2, order, 0.5).force, 0.02);
}

TEST(Repulsion, of_a_leaf_does_not_depend_on_the_others_asked_for) {
    const auto y = random_map(1000, 2, 10, 9);
    const auto order = order_of(y, 2);
    const auto leaves = kokkos::repulsion_leaves(1000);
    const auto whole = kokkos::repulsion(y, 2, order, 0.5, 0, leaves);
    for (std::size_t first = 0; first < leaves; first += 5) {
        const auto count = std::min<std::size_t>(5, leaves - first);
        const auto part = kokkos::repulsion(y, 2, order, 0.5, first, count);
        for (std::size_t i = 0; i < part.force.size(); ++i)
            ASSERT_EQ(part.force[i], whole.force[first * kokkos::repulsion_leaf * 2 + i]);
        for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(part.weight[i], whole.weight[first + i]);
    }
    EXPECT_TRUE(kokkos::repulsion(y, 2, order, 0.5, leaves, 0).force.empty());
}

struct Graph {
    std::vector<std::size_t> begin = {0};
    std::vector<std::int32_t> to;
    std::vector<float> p;
};

Graph random_graph(std::size_t rows, std::size_t n, int trial) {
    Graph graph;
    for (std::size_t i = 0; i < rows; ++i) {
        base::Random random(75, trial, i);
        for (auto left = random.below(40); left > 0; --left) {
            graph.to.push_back(static_cast<std::int32_t>(random.below(n)));
            graph.p.push_back(random.chance(0.1) ? 0.0F : static_cast<float>(random.uniform()));
        }
        graph.begin.push_back(graph.to.size());
    }
    return graph;
}

TEST(Attraction, agrees_with_reference_on_random_shapes) {
    for (int trial = 0; trial < 40; ++trial) {
        base::Random random(74, trial);
        const auto n = 1 + random.below(300), dimensions = 2 + random.below(2);
        const auto first = random.below(n), rows = random.below(n - first + 1);
        const auto y = random_map(n, dimensions, trial % 2 == 0 ? 1e-4 : 10, trial);
        const auto graph = random_graph(rows, n, trial);
        const reference::Edges edges{graph.begin, graph.to, graph.p, first};
        const kokkos::MapEdges same{graph.begin, graph.to, graph.p, first};
        const auto force = kokkos::attraction(y, dimensions, same);
        const auto expected = reference::attraction(y, dimensions, edges);
        ASSERT_EQ(force.size(), rows * dimensions);
        for (std::size_t i = 0; i < force.size(); ++i)  // of at most 40 terms of up to 1/2
            ASSERT_NEAR(force[i], expected[i], 1e-6 * (trial % 2 == 0 ? 1e-2 : 20));
        const auto sums = kokkos::divergence(y, dimensions, same);
        const auto expected_sums = reference::divergence(y, dimensions, edges);
        for (std::size_t i = 0; i < rows; ++i)
            ASSERT_NEAR(sums[i], expected_sums[i], 1e-12 * (1 + std::abs(expected_sums[i])));
    }
}

}  // namespace
}  // namespace nanoatlas::kernels
