// Runs the tests on all ranks in step; a failure on any rank fails the run.
#include <gtest/gtest.h>

#include <memory>

#include "comm/session.hpp"
#include "tests/mpi_test.hpp"

namespace nanoatlas::testing {
namespace {
std::unique_ptr<comm::Communicator> instance;
}
const comm::Communicator& world() {
    return *instance;
}
}  // namespace nanoatlas::testing

int main(int argc, char** argv) {
    namespace na = nanoatlas;
    const na::comm::Session session(argc, argv);
    ::testing::InitGoogleTest(&argc, argv);
    na::testing::instance =
        std::make_unique<na::comm::Communicator>(na::comm::Communicator::world());
    if (!na::testing::world().is_root()) {
        auto& listeners = ::testing::UnitTest::GetInstance()->listeners();
        if (na::testing::world().size() > 4)
            delete listeners.Release(listeners.default_result_printer());
    }
    const bool failed = RUN_ALL_TESTS() != 0;
    const bool any_failed = na::testing::world().any(failed);
    na::testing::instance.reset();
    return any_failed ? 1 : 0;
}
