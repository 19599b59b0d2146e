// Trees of parts, on a handful of rows.
#include "atlas/split_trees.hpp"

#include <gtest/gtest.h>

namespace nanoatlas::atlas {
namespace {

// Peaks 0, 1, 2 of cluster 0 (0 and 1 merge at 0.5, with 2 at 1.2), 3 of cluster 1; all at 4.
const MergeTree tree = {.centre = {0, 2, 4, 6},
                        .peak = {0, 0, 1, 1, 2, 2, 3, 3, 3},
                        .nodes = {0, 1, 4, 2, 5, 3},
                        .significance = {0.5, 1.2, 4}};
const std::vector<std::int32_t> label = {0, 0, 0, 0, 0, 0, 1, 1, 1};

TEST(SplitTrees, take_clusters_apart_from_the_top) {
    const auto trees = split_trees(tree, label, 2, 8);
    ASSERT_EQ(trees.size(), 2U);
    const auto& parts = trees[0].parts;
    ASSERT_EQ(parts.size(), 5U);
    EXPECT_EQ(parts[0].images, 6);
    EXPECT_EQ(parts[0].significance, 1.2);
    EXPECT_EQ(parts[static_cast<std::size_t>(parts[0].a)].significance, 0.5);
    EXPECT_EQ(parts[static_cast<std::size_t>(parts[0].b)].centre, 4);
    std::vector<std::int64_t> leaves;
    for (const int leaf : trees[0].leaves)
        leaves.push_back(parts[static_cast<std::size_t>(leaf)].centre);
    EXPECT_EQ(leaves, (std::vector<std::int64_t>{0, 2, 4}));
    EXPECT_EQ(trees[1].leaves.size(), 1U);
    EXPECT_EQ(trees[1].parts[0].images, 3);
}

TEST(SplitTrees, leave_together_what_no_significance_parts) {
    auto flat = tree;
    flat.significance[0] = 0;
    EXPECT_EQ(split_trees(flat, label, 2, 8)[0].leaves.size(), 2U);
}

TEST(SplitTrees, show_at_most_so_many_parts) {
    const auto trees = split_trees(tree, label, 2, 2);
    EXPECT_EQ(trees[0].leaves.size(), 2U);
    EXPECT_EQ(trees[0].parts[static_cast<std::size_t>(trees[0].parts[0].a)].images, 4);
}

}  // namespace
}  // namespace nanoatlas::atlas
