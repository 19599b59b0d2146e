// The tree of peaks on landscapes small enough to merge by hand, and on random ones.
#include "cluster/peak_tree.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "base/random.hpp"

namespace nanoatlas::cluster {
namespace {

std::vector<PeakMerge> tree_of(const std::vector<Peak>& peaks, const std::vector<Saddle>& saddles,
                               double significance) {
    return peak_tree(peaks, saddles, merge_peaks(peaks, saddles, significance).survivor,
                     significance);
}

/// [peaks] a number for the cluster that each is in after the merges below this Z.
std::vector<std::int32_t> cut(const std::vector<PeakMerge>& tree, std::size_t peaks,
                              double significance) {
    std::vector<std::int32_t> parent(peaks + tree.size());
    std::iota(parent.begin(), parent.end(), 0);
    for (std::size_t m = 0; m < tree.size(); ++m)
        if (tree[m].significance < significance)
            for (const auto node : {tree[m].a, tree[m].b})
                parent[static_cast<std::size_t>(node)] = static_cast<std::int32_t>(peaks + m);
    std::vector<std::int32_t> root(peaks);
    for (std::size_t p = 0; p < peaks; ++p) {
        root[p] = static_cast<std::int32_t>(p);
        while (parent[static_cast<std::size_t>(root[p])] != root[p])
            root[p] = parent[static_cast<std::size_t>(root[p])];
    }
    return root;
}

/// Whether two labellings differ in names alone.
bool are_one_partition(const std::vector<std::int32_t>& a, const std::vector<std::int32_t>& b) {
    std::map<std::int32_t, std::int32_t> there, back;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (there.try_emplace(a[i], b[i]).first->second != b[i] ||
            back.try_emplace(b[i], a[i]).first->second != a[i])
            return false;
    return true;
}

// 1 stands 0.5 above its saddle to 0, 2 stands 3 above that to 1: errors add up to 1.
TEST(PeakTree, merges_the_least_significant_first) {
    const std::vector<Peak> peaks = {{9, 0.5}, {6.5, 0.5}, {8, 0.5}, {4, 0.5}};
    const std::vector<Saddle> saddles = {{0, 1, 6, 0.5}, {1, 2, 5, 0.5}};
    const auto tree = tree_of(peaks, saddles, 1);
    ASSERT_EQ(tree.size(), 2U);  // nothing leads to 3
    EXPECT_EQ(tree[0].a, 0);
    EXPECT_EQ(tree[0].b, 1);
    EXPECT_EQ(tree[0].significance, 0.5);
    EXPECT_EQ(tree[1].a, 4);
    EXPECT_EQ(tree[1].b, 2);
    EXPECT_EQ(tree[1].significance, 3);
}

TEST(PeakTree, agrees_with_merging_at_its_own_significance) {
    for (std::uint64_t trial = 0; trial < 300; ++trial) {
        base::Random random(7, trial);
        const auto count = 1 + random.below(12);
        std::vector<Peak> peaks;
        for (std::uint64_t p = 0; p < count; ++p)
            peaks.push_back({random.uniform(2, 9), random.uniform(0.1, 0.6)});
        std::vector<Saddle> saddles;
        for (std::int32_t a = 0; a < static_cast<std::int32_t>(count); ++a)
            for (std::int32_t b = a + 1; b < static_cast<std::int32_t>(count); ++b)
                if (random.chance(0.4)) {
                    const auto lower = std::min(peaks[static_cast<std::size_t>(a)].density,
                                                peaks[static_cast<std::size_t>(b)].density);
                    saddles.push_back({a, b, lower - random.uniform(-0.1, 3), 0.3});
                }
        const double significance = trial % 10 == 0 ? 0 : random.uniform(0.2, 4);
        const auto tree = tree_of(peaks, saddles, significance);
        const auto survivor = merge_peaks(peaks, saddles, significance).survivor;
        EXPECT_TRUE(are_one_partition(cut(tree, peaks.size(), significance), survivor)) << trial;
        for (const auto& merge : tree)  // heights rise towards the root
            for (const auto node : {merge.a, merge.b})
                if (node >= static_cast<std::int32_t>(count)) {
                    const auto below = static_cast<std::size_t>(node) - count;
                    EXPECT_LE(tree[below].significance, merge.significance) << trial;
                }
        // All is one where saddles lead everywhere.
        const auto all = merge_peaks(peaks, saddles, 1e9).survivor;
        EXPECT_TRUE(are_one_partition(cut(tree, peaks.size(), 1e9), all)) << trial;
    }
}

TEST(PeakTree, one_peak_and_none) {
    EXPECT_TRUE(tree_of({{1, 1}}, {}, 2).empty());
    EXPECT_TRUE(tree_of({}, {}, 2).empty());
}

}  // namespace
}  // namespace nanoatlas::cluster
