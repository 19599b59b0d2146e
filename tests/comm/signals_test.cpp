#include "comm/signals.hpp"

#include <gtest/gtest.h>

#include "tests/mpi_test.hpp"

namespace nanoatlas::comm {
namespace {

// One test: the flag stays once it is set, as the process is to end.
TEST(StopSignals, a_signal_to_one_rank_is_seen_by_all_and_handlers_come_back) {
    const auto& world = testing::world();
    struct sigaction before {};
    sigaction(SIGUSR1, nullptr, &before);
    {
        const StopSignals outer;
        EXPECT_FALSE(outer.requested(world));
        {
            const StopSignals inner;
            if (world.rank() == world.size() - 1) raise(SIGUSR1);
            EXPECT_TRUE(inner.requested(world));
        }
        if (world.is_root()) raise(SIGTERM);  // still caught by the outer one
        EXPECT_TRUE(outer.requested(world));
    }
    struct sigaction after {};
    sigaction(SIGUSR1, nullptr, &after);
    EXPECT_EQ(before.sa_handler, after.sa_handler);
}

}  // namespace
}  // namespace nanoatlas::comm
