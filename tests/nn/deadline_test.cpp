#include "nn/train/deadline.hpp"

#include <gtest/gtest.h>

#include "base/check.hpp"

namespace nanoatlas::nn {
namespace {

TEST(TimeLimit, is_read_as_slurm_writes_it) {
    EXPECT_DOUBLE_EQ(parse_time_limit("90"), 5400);
    EXPECT_DOUBLE_EQ(parse_time_limit("0.5"), 30);
    EXPECT_DOUBLE_EQ(parse_time_limit("1:30:05"), 5405);
    EXPECT_DOUBLE_EQ(parse_time_limit("02-01:00:00"), 2 * 86400 + 3600);
    for (const auto* wrong : {"", "0", "-5", "1:30", "1:2:3:4", "ten", "1-30", "a-1:00:00",
                              "1:00:0x", "nan", "1:-1:00"})
        EXPECT_THROW(parse_time_limit(wrong), InputError) << wrong;
}

TEST(Deadline, leaves_time_for_what_comes_next) {
    Deadline deadline(100);
    EXPECT_FALSE(deadline.is_too_close(90, 0));
    deadline.step_took(4);
    deadline.step_took(2);
    // A step of 4 s, a checkpoint guessed to take as long, a quarter more, 2 s: 12 s.
    EXPECT_FALSE(deadline.is_too_close(87, 0));
    EXPECT_TRUE(deadline.is_too_close(88, 0));
    // An epoch ends before that: 5 steps' worth of images, until it is known.
    EXPECT_TRUE(deadline.is_too_close(63.5, 5));
    EXPECT_FALSE(deadline.is_too_close(62, 5));
    deadline.epoch_end_took(8);
    EXPECT_FALSE(deadline.is_too_close(77, 5));
    EXPECT_TRUE(deadline.is_too_close(78.5, 5));
    deadline.checkpoint_took(0.8);
    EXPECT_FALSE(deadline.is_too_close(91, 0));
    EXPECT_TRUE(deadline.is_too_close(92.5, 0));
}

TEST(Deadline, is_never_near_without_a_limit) {
    Deadline deadline;
    deadline.step_took(1e9);
    EXPECT_FALSE(deadline.is_too_close(1e12, 1));
}

}  // namespace
}  // namespace nanoatlas::nn
