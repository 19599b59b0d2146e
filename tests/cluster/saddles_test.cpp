// Merging of peaks on landscapes small enough to merge by hand.
#include "cluster/saddles.hpp"

#include <gtest/gtest.h>

namespace nanoatlas::cluster {
namespace {

using Survivors = std::vector<std::int32_t>;

TEST(MergePeaks, keeps_those_that_stand_out) {
    const std::vector<Peak> peaks = {{5, 0.5}, {4, 0.5}};
    const auto merged = merge_peaks(peaks, std::vector<Saddle>{{0, 1, 1, 0.5}}, 2);
    EXPECT_EQ(merged.survivor, (Survivors{0, 1}));
    ASSERT_EQ(merged.saddles.size(), 1U);
    EXPECT_EQ(merged.saddles[0].density, 1);
}

// Peak 0 is higher, but its error is large: peak 1 stands out by the greater multiple.
TEST(MergePeaks, the_greater_margin_survives) {
    const std::vector<Peak> peaks = {{5, 3}, {4, 0.5}};
    const auto merged = merge_peaks(peaks, std::vector<Saddle>{{0, 1, 3, 0.5}}, 2);
    EXPECT_EQ(merged.survivor, (Survivors{1, 1}));
    EXPECT_TRUE(merged.saddles.empty());
}

// 0 and 1 merge across the highest saddle; 1's saddle to 2 is higher than 0's, so it replaces it.
TEST(MergePeaks, saddles_are_inherited_where_higher) {
    const std::vector<Peak> peaks = {{9, 0.1}, {8, 0.1}, {9, 0.1}, {9, 0.1}};
    const std::vector<Saddle> saddles = {
        {0, 1, 7.9, 0.1}, {0, 2, 2, 0.1}, {1, 2, 3, 0.2}, {1, 3, 1, 0.3}};
    const auto merged = merge_peaks(peaks, saddles, 2);
    EXPECT_EQ(merged.survivor, (Survivors{0, 0, 2, 3}));
    ASSERT_EQ(merged.saddles.size(), 2U);
    EXPECT_EQ(merged.saddles[0].high, 2);
    EXPECT_EQ(merged.saddles[0].density, 3);
    EXPECT_EQ(merged.saddles[0].error, 0.2);
    EXPECT_EQ(merged.saddles[1].high, 3);
    EXPECT_EQ(merged.saddles[1].density, 1);
}

// Each merger brings a saddle that the next peak cannot stand above.
TEST(MergePeaks, follow_the_chain_to_one_survivor) {
    const std::vector<Peak> peaks = {{1, 0.1}, {2, 0.1}, {3, 0.1}, {4, 0.1}};
    const std::vector<Saddle> saddles = {{0, 1, 0.9, 0.1}, {1, 2, 1.9, 0.1}, {2, 3, 2.9, 0.1}};
    EXPECT_EQ(merge_peaks(peaks, saddles, 1).survivor, (Survivors{3, 3, 3, 3}));
}

TEST(MergePeaks, one_peak_and_none) {
    EXPECT_EQ(merge_peaks(std::vector<Peak>{{1, 1}}, {}, 2).survivor, (Survivors{0}));
    EXPECT_TRUE(merge_peaks({}, {}, 2).survivor.empty());
}

}  // namespace
}  // namespace nanoatlas::cluster
