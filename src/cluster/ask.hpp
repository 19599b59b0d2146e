// Questions to the ranks that own rows.
#pragma once

#include <vector>

#include "comm/communicator.hpp"

namespace nanoatlas::cluster {

/// requests[r] go to rank r, which calls answer(request) for each; the answers come back in the
/// order of the requests. Collective.
template <comm::Trivial Answer, comm::Trivial Request, class Answerer>
std::vector<std::vector<Answer>> ask(const std::vector<std::vector<Request>>& requests,
                                     const Answerer& answer, const comm::Communicator& comm) {
    const auto received = comm.exchange(requests);
    std::vector<std::vector<Answer>> answers(received.size());
    for (std::size_t r = 0; r < received.size(); ++r) {
        answers[r].reserve(received[r].size());
        for (const auto& request : received[r]) answers[r].push_back(answer(request));
    }
    return comm.exchange(answers);
}

}  // namespace nanoatlas::cluster
