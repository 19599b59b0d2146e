// Runs a command line as a user would, for tests of the whole program.
#pragma once

#include <sys/wait.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "tests/scratch_folder.hpp"

namespace nanoatlas::testing {

struct CommandResult {
    int status = -1;     ///< exit status; 128 + signal if one ended it
    std::string output;  ///< standard output and error together
    double seconds = 0;
};

inline CommandResult run_command(const std::string& command) {
    const auto start = std::chrono::steady_clock::now();
    FILE* pipe = popen(("( " + command + " ) 2>&1").c_str(), "r");
    if (pipe == nullptr) throw std::runtime_error("cannot start a shell");
    CommandResult result;
    std::array<char, 4096> buffer{};
    while (const auto count = fread(buffer.data(), 1, buffer.size(), pipe))
        result.output.append(buffer.data(), count);
    const int status = pclose(pipe);
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    result.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return result;
}

/// nanoatlas with these arguments; under mpirun where ranks > 1.
inline CommandResult run_nanoatlas(const std::string& arguments, int ranks = 1) {
    const std::string program = NANOATLAS_BINARY;
    if (ranks == 1) return run_command(program + " " + arguments);
    return run_command("mpirun --oversubscribe --bind-to none -n " + std::to_string(ranks) + " " +
                       program + " " + arguments);
}

}  // namespace nanoatlas::testing
