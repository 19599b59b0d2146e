// A program does not start on a processor that lacks its instructions, and says so.
#include <gtest/gtest.h>

#include "tests/command.hpp"

namespace nanoatlas {
namespace {

TEST(Processor, that_lacks_instructions_is_named_before_anything_runs) {
#ifndef __x86_64__
    GTEST_SKIP() << "skipped: compilers take what every such processor has";
#endif
    const auto result = testing::run_command(NANOATLAS_IMPOSSIBLE_PROGRAM);
    EXPECT_EQ(result.status, 2);
    EXPECT_EQ(
        result.output.find("cannot run on this processor: the program was compiled for one with "
                           "instructions unheard of"),
        0U)
        << result.output;
    EXPECT_EQ(result.output.find("it runs"), std::string::npos) << result.output;
}

}  // namespace
}  // namespace nanoatlas
