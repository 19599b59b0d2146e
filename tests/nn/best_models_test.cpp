#include "nn/train/best_models.hpp"

#include <gtest/gtest.h>

namespace nanoatlas::nn {
namespace {

TEST(BestModels, keeps_the_best_in_their_order) {
    std::vector<BestModel> best;
    int copies = 0;
    const EpochScore scores[] = {{0, 0.5, 1.0}, {1, 0.7, 0.9}, {2, 0.7, 0.8},
                                 {3, 0.6, 0.1}, {4, 0.7, 0.8}, {5, 0.2, 0.1}};
    for (const auto& score : scores)
        keep_if_best(best, score, 3, [&] {
            ++copies;
            return TensorMap{{"epoch", {{}, {static_cast<float>(score.epoch)}}}};
        });
    ASSERT_EQ(best.size(), 3U);
    const std::int64_t expected[] = {2, 4, 1};  // of equals the earlier one
    for (int i = 0; i < 3; ++i) {
        const auto& model = best[static_cast<std::size_t>(i)];
        EXPECT_EQ(model.score.epoch, expected[i]);
        EXPECT_EQ(model.tensors.at("epoch").values[0], static_cast<float>(expected[i]));
    }
    EXPECT_EQ(copies, 5);  // not of the last, which is none of the best
}

TEST(Patience, counts_epochs_since_the_best) {
    std::vector<BestModel> best;
    EXPECT_FALSE(is_out_of_patience(best, 5, 1));
    best.push_back({.score = {.epoch = 3}});
    EXPECT_FALSE(is_out_of_patience(best, 4, 2));
    EXPECT_FALSE(is_out_of_patience(best, 5, 2));
    EXPECT_TRUE(is_out_of_patience(best, 6, 2));
    EXPECT_FALSE(is_out_of_patience(best, 60, 0));
}

}  // namespace
}  // namespace nanoatlas::nn
