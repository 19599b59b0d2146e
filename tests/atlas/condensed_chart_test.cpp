// The condensed tree as bars: on a handful of rows, and on trees of drawn points.
#include "atlas/condensed_chart.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <regex>

#include "atlas/model.hpp"
#include "atlas/palette.hpp"
#include "base/random.hpp"

namespace nanoatlas::atlas {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// Row 0 leaves the root 10 at 0.5; 11 (rows 1 to 6) and 12 (7 to 9) part at 1; 11 falls at 2 into
// 13 (1 to 3) and 14 (4, 5), row 6 having left it before.
const cluster::CondensedTree tree = {
    .rows = 10,
    .clusters = 5,
    .parent = {10, 10, 10, 11, 12, 12, 12, 11, 11, 13, 13, 13, 14, 14},
    .child = {0, 11, 12, 6, 7, 8, 9, 13, 14, 1, 2, 3, 4, 5},
    .size = {1, 6, 3, 1, 1, 1, 1, 3, 2, 1, 1, 1, 1, 1},
    .lambda = {0.5, 1, 1, 1.5, 3, 4, 4, 2, 2, 5, 6, 6, 7, 7}};
const std::vector<std::int64_t> selected = {11, 12};

TEST(TreeBars, hold_the_rows_at_each_density) {
    const auto bars = tree_bars(tree, selected);
    ASSERT_EQ(bars.size(), 5U);
    using Steps = std::vector<std::pair<double, std::int64_t>>;
    EXPECT_EQ(bars[0].rows, 10);
    EXPECT_EQ(bars[0].left_at, (Steps{{0.5, 9}, {1, 9}}));
    EXPECT_EQ(bars[1].rows, 6);
    EXPECT_EQ(bars[1].birth, 1);
    EXPECT_EQ(bars[1].left_at, (Steps{{1.5, 5}, {2, 5}}));
    EXPECT_EQ(bars[2].left_at, (Steps{{3, 2}, {4, 1}, {4, 0}}));
    EXPECT_EQ(bars[3].left_at, (Steps{{5, 2}, {6, 1}, {6, 0}}));
    std::vector<int> chosen, parent;
    for (const auto& bar : bars) {
        chosen.push_back(bar.chosen);
        parent.push_back(bar.parent);
    }
    EXPECT_EQ(chosen, (std::vector<int>{-1, 0, 1, 0, 0}));
    EXPECT_EQ(parent, (std::vector<int>{-1, 0, 0, 1, 1}));
}

TEST(TreeBars, share_the_room_of_their_parent) {
    const auto bars = tree_bars(tree, selected);
    EXPECT_DOUBLE_EQ(bars[1].left, 0);
    EXPECT_DOUBLE_EQ(bars[1].right, 6.0 / 9);
    EXPECT_DOUBLE_EQ(bars[2].left, 6.0 / 9);
    EXPECT_DOUBLE_EQ(bars[2].right, 1);
    EXPECT_DOUBLE_EQ(bars[3].right, 6.0 / 9 * 3 / 5);
    for (const auto& bar : bars)  // there is always room for a width by rows
        EXPECT_GE(bar.right - bar.left, static_cast<double>(bar.rows) / 10 - 1e-12);
}

/// As much of an atlas as the chart goes by.
Atlas atlas_of(const cluster::CondensedTree& of, const std::vector<std::int64_t>& chosen) {
    Atlas atlas;
    atlas.inputs.rows = of.rows;
    atlas.inputs.clusters.condensed = of;
    atlas.inputs.clusters.selected = chosen;
    atlas.inputs.clusters.count = static_cast<int>(chosen.size());
    atlas.cluster_colours = palette(atlas.inputs.clusters.count);
    return atlas;
}

int count(const std::string& text, const std::string& what) {
    int found = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
    return found;
}

/// Places of the numbers below the picture, from left to right.
std::vector<double> label_places(const std::string& chart) {
    static const std::regex label(R"re(html"><text x="([^"]+)")re");
    std::vector<double> places;
    for (std::sregex_iterator at(chart.begin(), chart.end(), label), end; at != end; ++at)
        places.push_back(std::stod((*at)[1]));
    return places;
}

TEST(CondensedChart, outlines_the_chosen_clusters_and_links_them) {
    const auto chart = condensed_chart(atlas_of(tree, selected), "../");
    EXPECT_EQ(count(chart, "class=\"chosen\""), 2);
    EXPECT_EQ(count(chart, "class=\"stem\""), 1);
    EXPECT_EQ(count(chart, "fill-opacity"), 2);  // parts of a chosen one
    EXPECT_EQ(count(chart, "../clusters/1.html"), 1);
    EXPECT_EQ(label_places(chart).size(), 2U);
}

// A root from which so many clusters of some rows part, one after the other.
cluster::CondensedTree chain(int clusters, std::int64_t rows_of_one, double last_lambda) {
    cluster::CondensedTree of;
    of.rows = clusters * rows_of_one;
    of.clusters = 2 * clusters - 1;
    const auto add = [&](std::int64_t parent, std::int64_t child, double lambda,
                         std::int64_t size) {
        of.parent.push_back(parent);
        of.child.push_back(child);
        of.lambda.push_back(lambda);
        of.size.push_back(size);
    };
    std::int64_t whole = of.rows, next = of.rows, row = 0;
    for (int c = 0; c < clusters; ++c) {
        const bool is_last = c + 1 == clusters;
        const auto part = is_last ? whole : ++next;
        if (!is_last) {
            add(whole, part, 1 + 0.01 * c, rows_of_one);
            add(whole, ++next, 1 + 0.01 * c, of.rows - (c + 1) * rows_of_one);
            whole = next;
        }
        for (std::int64_t i = 0; i < rows_of_one; ++i, ++row)
            add(part, row, is_last ? last_lambda : 2 + 0.001 * static_cast<double>(row), 1);
    }
    return of;
}

std::vector<std::int64_t> leaves(const cluster::CondensedTree& of) {
    std::vector<std::int64_t> numbers;
    for (auto c = of.rows + 1; c < of.rows + of.clusters; ++c)
        if (std::ranges::none_of(of.child, [&](auto child) {
                return child > of.rows && child != c &&
                       of.parent[static_cast<std::size_t>(std::ranges::find(of.child, child) -
                                                          of.child.begin())] == c;
            }))
            numbers.push_back(c);
    return numbers;
}

TEST(CondensedChart, numbers_never_overlap) {
    for (const int clusters : {2, 12, 40, 120}) {
        const auto of = chain(clusters, 6, 2);
        const auto chosen = leaves(of);
        ASSERT_EQ(std::ssize(chosen), clusters);
        const auto places = label_places(condensed_chart(atlas_of(of, chosen), ""));
        EXPECT_GE(std::ssize(places), std::min(clusters, 30));
        const double digits = clusters > 100 ? 3 : clusters > 10 ? 2 : 1;
        for (std::size_t i = 0; i < places.size(); ++i) {
            EXPECT_GE(places[i], 62);
            EXPECT_LE(places[i], 885.1);
            if (i > 0) {
                EXPECT_GE(places[i] - places[i - 1], 7 * digits + 5) << clusters;
            }
        }
    }
}

TEST(CondensedChart, draws_extreme_densities) {
    for (const double lambda : {2.0, 1e6, infinity}) {
        const auto of = chain(3, 5, lambda);
        const auto chart = condensed_chart(atlas_of(of, leaves(of)), "");
        EXPECT_EQ(chart.find("nan"), std::string::npos);
        EXPECT_EQ(chart.find("inf"), std::string::npos);
        EXPECT_EQ(count(chart, "∞"), std::isinf(lambda) ? 1 : 0);
        EXPECT_EQ(count(chart, ">100000<") + count(chart, ">1e+06<"), lambda == 1e6 ? 2 : 0);
    }
}

TEST(CondensedChart, draws_a_tree_without_clusters) {
    const cluster::CondensedTree bare = {.rows = 3,
                                         .clusters = 1,
                                         .parent = {3, 3, 3},
                                         .child = {0, 1, 2},
                                         .size = {1, 1, 1},
                                         .lambda = {infinity, infinity, infinity}};
    const auto chart = condensed_chart(atlas_of(bare, {}), "");
    EXPECT_EQ(count(chart, "class=\"stem\""), 1);
    EXPECT_EQ(chart.find("nan"), std::string::npos);
}

}  // namespace
}  // namespace nanoatlas::atlas
