// One rank that throws takes every rank out within seconds, with rank and cause.
#include <gtest/gtest.h>

#include "tests/command.hpp"

namespace nanoatlas::testing {
namespace {

std::string with_ranks(int ranks, const std::string& how) {
    return "mpirun --oversubscribe --bind-to none -n " + std::to_string(ranks) + " " +
           FAILING_RANK + " " + how;
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
}

TEST(Failure, of_one_rank_ends_all_ranks_with_rank_and_cause) {
    const auto result = run_command(with_ranks(3, "one"));
    EXPECT_EQ(result.status, 1);
    EXPECT_LT(result.seconds, 10);
    EXPECT_NE(result.output.find("rank 1 of 3 failed: the file x.tif is cursed"), std::string::npos)
        << result.output;
}

TEST(Failure, of_all_ranks_is_said_once_and_exits_with_its_status) {
    for (const int ranks : {1, 4}) {
        const auto result = run_command(with_ranks(ranks, "all"));
        EXPECT_EQ(result.status, 2);
        EXPECT_EQ(count(result.output, "every rank saw it"), 1u) << result.output;
    }
}

}  // namespace
}  // namespace nanoatlas::testing
