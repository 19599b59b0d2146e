// Runs a command line as a user would, for tests of the whole program.
#pragma once

#include <sys/wait.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

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

/// A folder for the files of a test that is no MPI program itself; removed at its end.
class ScratchFolder {
  public:
    ScratchFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "nanoatlas-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
        path_ = name;
    }
    ~ScratchFolder() { std::filesystem::remove_all(path_); }
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }
    std::string operator/(const std::string& name) const { return (path_ / name).string(); }

  private:
    std::filesystem::path path_;
};

/// nanoatlas with these arguments; under mpirun where ranks > 1.
inline CommandResult run_nanoatlas(const std::string& arguments, int ranks = 1) {
    const std::string program = NANOATLAS_BINARY;
    if (ranks == 1) return run_command(program + " " + arguments);
    return run_command("mpirun --oversubscribe --bind-to none -n " + std::to_string(ranks) + " " +
                       program + " " + arguments);
}

}  // namespace nanoatlas::testing
