// A folder for a test's files, shared by the ranks of the run and removed at its end.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "tests/mpi_test.hpp"

namespace nanoatlas::testing {

/// Collective, construction and destruction.
class TemporaryFolder {
  public:
    TemporaryFolder()
        : folder_(std::filesystem::temp_directory_path() /
                  ("nanoatlas-test-" + std::to_string(world().broadcast(getpid())))) {
        world().on_root([&] { std::filesystem::create_directories(folder_); });
    }
    ~TemporaryFolder() {
        world().barrier();
        if (world().is_root()) std::filesystem::remove_all(folder_);
        world().barrier();
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    std::string operator/(const std::string& name) const { return (folder_ / name).string(); }

    /// Writes a file from rank 0; returns its path. Collective.
    std::string write(const std::string& name, std::string_view bytes) const {
        world().on_root([&] {
            std::ofstream(folder_ / name, std::ios::binary)
                .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        });
        return *this / name;
    }

  private:
    std::filesystem::path folder_;
};

}  // namespace nanoatlas::testing
