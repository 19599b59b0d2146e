// What tests under mpirun need: the communicator of all ranks.
#pragma once

#include "comm/communicator.hpp"

namespace nanoatlas::testing {

/// The ranks of this test run.
const comm::Communicator& world();

}  // namespace nanoatlas::testing
