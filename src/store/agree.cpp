#include "store/agree.hpp"

#include <algorithm>
#include <string>

#include "base/check.hpp"

namespace nanoatlas::store {
namespace {

template <class Error>
void agree(const comm::Communicator& comm, const std::function<void()>& work) {
    std::string cause;
    int failed = comm.size();
    try {
        work();
    } catch (const Error& error) {
        cause = error.what();
        failed = comm.rank();
    }
    const int first = comm.min(failed);
    if (first < comm.size()) throw Error(comm.broadcast(cause, first));
}

}  // namespace

void agree_on_input(const comm::Communicator& comm, const std::function<void()>& work) {
    agree<InputError>(comm, work);
}

void agree_on_environment(const comm::Communicator& comm, const std::function<void()>& work) {
    agree<EnvironmentError>(comm, work);
}

}  // namespace nanoatlas::store
