// Wrong input that only one rank can see, told by all ranks alike.
#pragma once

#include <functional>

#include "comm/communicator.hpp"

namespace nanoatlas::store {

/// Runs work on every rank; if it throws InputError on some, all ranks throw the error of the
/// lowest of them. Other exceptions pass through on their own rank. work must not be collective.
/// Collective.
void agree_on_input(const comm::Communicator& comm, const std::function<void()>& work);

/// As agree_on_input, for what the environment may break (EnvironmentError).
void agree_on_environment(const comm::Communicator& comm, const std::function<void()>& work);

}  // namespace nanoatlas::store
