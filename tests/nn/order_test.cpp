#include "nn/train/order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/check.hpp"

namespace nanoatlas::nn {
namespace {

std::vector<std::int32_t> labels_of(std::int64_t samples) {
    return std::vector<std::int32_t>(static_cast<std::size_t>(samples), 0);
}

std::vector<Draw> whole_epoch(TrainingOrder& order, std::int64_t epoch) {
    std::vector<Draw> all;
    for (std::int64_t step = 0; step < order.steps(); ++step)
        for (std::int64_t pass = 0; pass < order.passes(); ++pass) {
            const auto draws = order.draws({epoch, step, pass});
            all.insert(all.end(), draws.begin(), draws.end());
        }
    return all;
}

TEST(TrainingOrder, draws_each_sample_once_in_steps_of_about_one_size) {
    for (const std::int64_t samples : {1, 7, 100, 129})
        for (const std::int64_t batch : {1, 8, 200})
            for (const std::int64_t passes : {1, 3, 8}) {
                TrainingOrder order(labels_of(samples),
                                    {.batch = batch, .passes = passes, .seed = 4});
                EXPECT_LE(order.passes(), passes);
                std::set<std::int64_t> seen;
                std::int64_t least = samples, most = 0;
                for (std::int64_t step = 0; step < order.steps(); ++step) {
                    std::int64_t size = 0;
                    for (std::int64_t pass = 0; pass < order.passes(); ++pass) {
                        const auto draws = order.draws({2, step, pass});
                        EXPECT_GE(draws.size(), 1U);
                        for (const int ranks : {1, 2, 3, 16})
                            EXPECT_LE(
                                comm::BlockDistribution(std::ssize(draws), ranks).block(0).count,
                                order.most_of_rank(ranks));
                        for (const auto& draw : draws) {
                            EXPECT_EQ(draw.variation, 2);
                            EXPECT_TRUE(seen.insert(draw.sample).second);
                        }
                        size += std::ssize(draws);
                    }
                    least = std::min(least, size);
                    most = std::max(most, size);
                }
                EXPECT_EQ(std::ssize(seen), samples);
                EXPECT_LE(most, batch);
                EXPECT_LE(most - least, 1);
            }
}

TEST(TrainingOrder, passes_cut_the_same_order) {
    TrainingOrder whole(labels_of(50), {.batch = 16, .seed = 4}),
        cut(labels_of(50), {.batch = 16, .passes = 4, .seed = 4});
    const auto a = whole_epoch(whole, 1), b = whole_epoch(cut, 1), other = whole_epoch(whole, 2);
    const auto same = [](const Draw& x, const Draw& y) { return x.sample == y.sample; };
    EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end(), same));
    EXPECT_FALSE(std::equal(a.begin(), a.end(), other.begin(), other.end(), same));
}

TEST(TrainingOrder, balanced_draws_each_class_equally_often) {
    // 3, 90 and 10 samples of three classes.
    std::vector<std::int32_t> labels(103, 7);
    std::fill_n(labels.begin(), 3, 0);
    std::fill_n(labels.begin() + 60, 10, 2);
    TrainingOrder order(labels, {.batch = 20, .sampling = Sampling::balanced, .seed = 4});
    std::set<std::int64_t> of_large_class;
    std::set<std::pair<std::int64_t, std::int64_t>> variations;
    for (std::int64_t epoch = 0; epoch < 6; ++epoch) {
        const auto draws = whole_epoch(order, epoch);
        ASSERT_EQ(draws.size(), 103U);
        std::map<std::int32_t, std::int64_t> by_class;
        std::map<std::int64_t, std::int64_t> by_sample;
        for (const auto& draw : draws) {
            const auto label = labels[static_cast<std::size_t>(draw.sample)];
            ++by_class[label];
            ++by_sample[draw.sample];
            if (label == 7) of_large_class.insert(draw.sample);
            EXPECT_TRUE(variations.insert({draw.sample, draw.variation}).second);
        }
        for (const auto& [label, count] : by_class) EXPECT_NEAR(count, 103 / 3.0, 1);
        for (const auto& [sample, count] : by_sample) {
            const auto label = labels[static_cast<std::size_t>(sample)];
            const double fair = 103 / 3.0 / (label == 0 ? 3 : label == 2 ? 10 : 90);
            EXPECT_LE(std::abs(static_cast<double>(count) - fair), 1) << sample;
        }
    }
    EXPECT_GT(of_large_class.size(), 75U);  // other ones each epoch
}

TEST(TrainingOrder, unknown_sampling_is_refused) {
    EXPECT_EQ(parse_sampling("balanced"), Sampling::balanced);
    EXPECT_THROW(parse_sampling("some"), InputError);
}

}  // namespace
}  // namespace nanoatlas::nn
