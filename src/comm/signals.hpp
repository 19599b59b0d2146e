// Requests to stop (SIGUSR1, SIGTERM), agreed by all ranks.
#pragma once

#include "comm/communicator.hpp"

namespace nanoatlas::comm {

/// While it lives, SIGUSR1 and SIGTERM set a flag instead of ending the process. One at a time.
class StopSignals {
  public:
    StopSignals();
    ~StopSignals();
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;

    /// True on every rank once any rank got a signal. Collective; once per step.
    bool requested(const Communicator& comm) const;
};

}  // namespace nanoatlas::comm
