// Requests to stop (SIGUSR1, SIGTERM), agreed by all ranks.
#pragma once

#include <array>
#include <csignal>

#include "comm/communicator.hpp"

namespace nanoatlas::comm {

/// While it lives, SIGUSR1 and SIGTERM set a flag instead of ending the process. May be nested; the
/// flag, once set, stays: the process is to end.
class StopSignals {
  public:
    StopSignals();
    ~StopSignals();
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;

    /// True on every rank once any rank got a signal. Collective; once per step.
    bool requested(const Communicator& comm) const;

  private:
    std::array<struct sigaction, 2> before_{};
};

}  // namespace nanoatlas::comm
