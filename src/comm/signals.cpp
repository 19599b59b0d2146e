#include "comm/signals.hpp"

#include <csignal>

namespace nanoatlas::comm {
namespace {
volatile std::sig_atomic_t signal_seen = 0;
void remember_signal(int) {
    signal_seen = 1;
}
}  // namespace

StopSignals::StopSignals() {
    signal_seen = 0;
    std::signal(SIGUSR1, remember_signal);
    std::signal(SIGTERM, remember_signal);
}

StopSignals::~StopSignals() {
    std::signal(SIGUSR1, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
}

bool StopSignals::requested(const Communicator& comm) const {
    return comm.any(signal_seen != 0);
}

}  // namespace nanoatlas::comm
