// The life of the MPI library, and the way out when a rank fails.
#pragma once

#include <functional>
#include <string>

#include "comm/communicator.hpp"

namespace nanoatlas::comm {

namespace exit_status {
inline constexpr int done = 0;
inline constexpr int failed = 1;
inline constexpr int wrong_input = 2;
inline constexpr int run_me_again = 75;
}  // namespace exit_status

/// MPI is up while it lives. One per process.
class Session {
  public:
    Session(int& argc, char**& argv);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
};

/// Runs work on all ranks and turns what it throws into an exit status. If every rank throws (wrong
/// input that all of them saw), rank 0 says why once and all return. If only some throw, those say
/// their rank and cause, and the whole program is aborted within seconds. Collective.
int run_guarded(const Communicator& world, const std::function<int()>& work);

}  // namespace nanoatlas::comm
