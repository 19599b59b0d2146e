// nanoatlas <job> [options]: finds the job, runs it on all ranks, turns errors into an exit status.
#include <cstdlib>
#include <string>
#include <vector>

#include "base/check.hpp"
#include "base/log.hpp"
#include "base/memory.hpp"
#include "base/version.hpp"
#include "comm/session.hpp"
#include "comm/threads.hpp"
#include "jobs/jobs.hpp"
#include "kernels/kokkos/runtime.hpp"

namespace nanoatlas {
namespace {

void print_help() {
    base::print("nanoatlas: turns a heap of electron micrographs into an atlas\n");
    base::print("usage: nanoatlas JOB [--option value ...]      or under mpirun or srun\n");
    for (const auto& job : jobs::all_jobs())
        base::print(fmt::format("  {:<14} {}", job.name, job.summary));
    base::print("\n'nanoatlas JOB --help' lists a job's options.");
}

int run(const std::vector<std::string>& words, const comm::Communicator& world) {
    if (words.empty() || words[0] == "--help" || words[0] == "help") {
        print_help();
        return words.empty() ? comm::exit_status::wrong_input : comm::exit_status::done;
    }
    if (words[0] == "--version") {
        base::print(base::version_text());
        return comm::exit_status::done;
    }
    const auto* job = jobs::find_job(words[0]);
    VALIDATE(job != nullptr, "unknown job '{}'; 'nanoatlas --help' lists the jobs", words[0]);
    const kernels::kokkos::Runtime runtime(comm::apply_threads(world));
    return job->run({words.begin() + 1, words.end()}, world);
}

}  // namespace
}  // namespace nanoatlas

int main(int argc, char** argv) {
    using namespace nanoatlas;
    base::keep_freed_memory();
    const comm::Session session(argc, argv);
    const auto world = comm::Communicator::world();
    base::configure_log({.rank = world.rank(), .quiet = false, .json_file = {}});
    const std::vector<std::string> words(argv + 1, argv + argc);
    return comm::run_guarded(world, [&] { return run(words, world); });
}
