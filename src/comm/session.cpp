#include "comm/session.hpp"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <thread>

#include "base/check.hpp"
#include "base/log.hpp"

namespace nanoatlas::comm {
namespace {

// Ranks that saw the same wrong input throw within moments of each other; longer means that the
// others are waiting in a collective this rank will never join.
constexpr auto patience = std::chrono::milliseconds(1500);

struct Failure {
    int status = exit_status::failed;
    std::string message;
};

Failure describe_current_exception() {
    try {
        throw;
    } catch (const InputError& error) {
        return {exit_status::wrong_input, error.what()};
    } catch (const StoppedOnRequest& request) {
        return {exit_status::run_me_again, request.what()};
    } catch (const std::bad_alloc&) {
        return {
            exit_status::failed,
            "out of memory (this rank asked for more than the machine gives); use more ranks or "
            "a smaller batch"};
    } catch (const std::exception& error) {
        return {exit_status::failed, error.what()};
    } catch (...) {
        return {exit_status::failed, "an error of unknown type"};
    }
}

bool every_rank_arrives(const Communicator& world) {
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Ibarrier(world.handle(), &request);
    const auto deadline = std::chrono::steady_clock::now() + patience;
    int done = 0;
    while (done == 0 && std::chrono::steady_clock::now() < deadline) {
        MPI_Test(&request, &done, MPI_STATUS_IGNORE);
        if (done == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return done != 0;
}

}  // namespace

Session::Session(int& argc, char**& argv) {
    std::signal(SIGPIPE, SIG_IGN);  // a closed "| head" must not end a job before it has written
    // Only the main thread talks to MPI; others compute and read files.
    int provided = 0;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
}

Session::~Session() {
    MPI_Finalize();
}

int run_guarded(const Communicator& world, const std::function<int()>& work) {
    // A communicator of its own: a rank that fails may leave others inside a collective of `world`.
    const Communicator failures = world.duplicate();
    Failure failure;
    try {
        return work();
    } catch (...) {
        failure = describe_current_exception();
    }
    if (every_rank_arrives(failures)) {
        const int worst = failures.max(failure.status);
        const bool alike = failures.min(failure.status) == worst;
        if (failure.status == exit_status::run_me_again)
            base::log_info(failure.message);
        else if (world.is_root() || !alike)
            base::log_error(failure.message);
        return worst;
    }
    base::log_error(
        fmt::format("rank {} of {} failed: {}", world.rank(), world.size(), failure.message));
    std::fflush(nullptr);
    MPI_Abort(MPI_COMM_WORLD, failure.status);
    std::abort();
}

}  // namespace nanoatlas::comm
