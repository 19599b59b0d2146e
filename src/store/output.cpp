#include "store/output.hpp"

#include <unistd.h>

#include <filesystem>

#include "base/check.hpp"

namespace nanoatlas::store {

namespace fs = std::filesystem;

std::string folder_of(const std::string& path) {
    const auto folder = fs::path(path).parent_path();
    return folder.empty() ? "." : folder.string();
}

void check_output(const std::string& path, const comm::Communicator& comm) {
    comm.on_root([&] {
        std::error_code error;
        const auto folder = folder_of(path);
        VALIDATE(fs::is_directory(folder, error),
                 "cannot write '{}' (there is no folder '{}'); create it or give another --output",
                 path, folder);
        VALIDATE(!fs::is_directory(path, error),
                 "cannot write '{}' (a folder of that name is there); give another --output", path);
        VALIDATE(
            access(folder.c_str(), W_OK) == 0,
            "cannot write '{}' (folder '{}' is read-only for this user); give another --output",
            path, folder);
    });
}

}  // namespace nanoatlas::store
