#include "atlas/dendrogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.hpp"

namespace nanoatlas::atlas {
namespace {

struct Border {
    int a, b;
    double height;
};

Topography topography(const std::vector<double>& peaks, const std::vector<Border>& borders) {
    const std::size_t k = peaks.size();
    Topography made{.peak = peaks,
                    .saddle = std::vector<double>(k * k, -INFINITY),
                    .saddle_error = std::vector<double>(k * k)};
    for (const auto& [a, b, height] : borders)
        for (const auto& [i, j] : {std::pair(a, b), std::pair(b, a)}) {
            made.saddle[static_cast<std::size_t>(i) * k + static_cast<std::size_t>(j)] = height;
            made.saddle_error[static_cast<std::size_t>(i) * k + static_cast<std::size_t>(j)] = .1;
        }
    return made;
}

// Peaks 0..4 at 10, 8, 9, 5, 7. 0-1 meet at 6, 2-4 at 5, and 1-2 at 3 join the two pairs; the lower
// saddle 0-2 at 2 closes a ring and must not show. 3 borders on nothing.
TEST(Dendrogram, is_the_one_drawn_by_hand) {
    const auto tree =
        dendrogram(topography({10, 8, 9, 5, 7}, {{0, 1, 6}, {2, 4, 5}, {1, 2, 3}, {0, 2, 2}}));
    ASSERT_EQ(tree.merges.size(), 3U);
    const auto expect = [&](std::size_t m, int a, int b, double height) {
        EXPECT_EQ(tree.merges[m].a, a);
        EXPECT_EQ(tree.merges[m].b, b);
        EXPECT_EQ(tree.merges[m].height, height);
    };
    expect(0, 0, 1, 6);
    expect(1, 2, 4, 5);
    expect(2, 5, 6, 3);
    EXPECT_EQ(tree.roots, (std::vector<int>{7, 3}));
    EXPECT_EQ(tree.order, (std::vector<int>{0, 1, 2, 4, 3}));
}

TEST(Dendrogram, of_one_and_of_none) {
    EXPECT_EQ(dendrogram(topography({1}, {})).order, (std::vector<int>{0}));
    EXPECT_TRUE(dendrogram({}).order.empty());
}

TEST(Dendrogram, without_errors_there_are_no_borders) {
    auto made = topography({2, 1}, {{0, 1, .5}});
    EXPECT_TRUE(made.has_saddle(0, 1));
    made.saddle_error.assign(4, 0);
    EXPECT_FALSE(made.has_saddle(0, 1));
    EXPECT_EQ(dendrogram(made).roots, (std::vector<int>{0, 1}));
}

// The height at which two clusters join is the best of the worst saddles over all ways between
// them, here found by relaxing all pairs.
TEST(Dendrogram, joins_at_the_best_of_all_ways) {
    for (int draw = 0; draw < 30; ++draw) {
        base::Random random(7, draw);
        const int k = 2 + static_cast<int>(random.below(9));
        const auto size = static_cast<std::size_t>(k);
        std::vector<double> peaks(size);
        for (double& peak : peaks) peak = random.uniform(10, 20);
        std::vector<Border> borders;
        for (int a = 0; a < k; ++a)
            for (int b = a + 1; b < k; ++b)
                if (random.chance(.5)) borders.push_back({a, b, random.uniform(0, 9)});
        const auto made = topography(peaks, borders);
        const auto tree = dendrogram(made);

        auto way = made.saddle;
        for (std::size_t via = 0; via < size; ++via)
            for (std::size_t i = 0; i < size; ++i)
                for (std::size_t j = 0; j < size; ++j)
                    way[i * size + j] = std::max(
                        way[i * size + j], std::min(way[i * size + via], way[via * size + j]));

        std::vector<std::vector<int>> below(size + tree.merges.size());
        for (std::size_t c = 0; c < size; ++c) below[c] = {static_cast<int>(c)};
        for (std::size_t m = 0; m < tree.merges.size(); ++m) {
            const auto& merge = tree.merges[m];
            auto& all = below[size + m];
            for (const int a : below[static_cast<std::size_t>(merge.a)])
                for (const int b : below[static_cast<std::size_t>(merge.b)])
                    EXPECT_EQ(way[static_cast<std::size_t>(a) * size + static_cast<std::size_t>(b)],
                              merge.height);
            for (const int side : {merge.a, merge.b})
                all.insert(all.end(), below[static_cast<std::size_t>(side)].begin(),
                           below[static_cast<std::size_t>(side)].end());
        }
        auto order = tree.order;
        std::sort(order.begin(), order.end());
        for (int c = 0; c < k; ++c) EXPECT_EQ(order[static_cast<std::size_t>(c)], c);
    }
}

}  // namespace
}  // namespace nanoatlas::atlas
