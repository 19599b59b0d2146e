#include "comm/signals.hpp"

#include <array>

namespace nanoatlas::comm {
namespace {
volatile std::sig_atomic_t signal_seen = 0;
void remember_signal(int) {
    signal_seen = 1;
}
constexpr std::array watched = {SIGUSR1, SIGTERM};
}  // namespace

StopSignals::StopSignals() {
    struct sigaction action {};
    action.sa_handler = remember_signal;
    action.sa_flags = SA_RESTART;
    for (std::size_t i = 0; i < watched.size(); ++i) sigaction(watched[i], &action, &before_[i]);
}

StopSignals::~StopSignals() {
    for (std::size_t i = 0; i < watched.size(); ++i) sigaction(watched[i], &before_[i], nullptr);
}

bool StopSignals::requested(const Communicator& comm) const {
    return comm.any(signal_seen != 0);
}

}  // namespace nanoatlas::comm
