#include "atlas/folder.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/check.hpp"
#include "base/log.hpp"

namespace nanoatlas::atlas {
namespace fs = std::filesystem;
namespace {

constexpr const char* marker_name = "atlas.json";

std::string without_slash(std::string path) {
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    return path;
}

/// All that was written to the file system on which the folder lies is on the disk.
void sync_file_system(const std::string& folder) {
    const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY);
    const bool done = file >= 0 && ::syncfs(file) == 0;
    const int error = errno;
    if (file >= 0) ::close(file);
    ENSURE(done, "cannot sync atlas '{}' to disk ({}); check the file system", folder,
           std::strerror(error));
}

/// Puts the new folder where the old one is; in one step where the file system can.
void change_places(const std::string& fresh, const std::string& output) {
    const fs::path old = fresh + ".old";
    if (!fs::exists(output)) {
        fs::rename(fresh, output);
    } else if (::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, output.c_str(), RENAME_EXCHANGE) ==
               0) {
        fs::remove_all(fresh);
    } else {
        fs::rename(output, old);
        fs::rename(fresh, output);
        fs::remove_all(old);
    }
}

}  // namespace

AtlasFolder::AtlasFolder(std::string output, const comm::Communicator& comm)
    : output_(without_slash(std::move(output))), comm_(comm) {
    comm.on_root([&] {
        check_output();
        temporary_ = output_ + ".partial-" + std::to_string(::getpid());
        std::error_code error;
        fs::remove_all(temporary_, error);
        for (const char* folder : {"", "/data", "/clusters", "/pictures"})
            VALIDATE(fs::create_directory(temporary_ + folder, error),
                     "cannot write atlas '{}': a folder beside it cannot be made ({}); choose "
                     "another --output or make its parent writable",
                     output_, error.message());
    });
    temporary_ = comm.broadcast(temporary_);
}

void AtlasFolder::check_output() const {
    VALIDATE(!output_.empty(), "cannot write an atlas: --output is empty; name a folder");
    const fs::path parent = fs::absolute(output_).parent_path();
    VALIDATE(fs::is_directory(parent),
             "cannot write atlas '{}': folder '{}' does not exist; make it or choose another "
             "--output",
             output_, parent.string());
    if (!fs::exists(fs::symlink_status(output_))) return;
    VALIDATE(fs::is_directory(output_),
             "cannot write atlas '{}': a file of that name is in the way; move it or choose "
             "another --output",
             output_);
    VALIDATE(fs::is_empty(output_) || fs::exists(fs::path(output_) / marker_name),
             "cannot write atlas '{}': the folder holds something else than an atlas, which would "
             "be lost; choose another --output",
             output_);
}

AtlasFolder::~AtlasFolder() {
    if (published_ || !comm_.is_root()) return;
    std::error_code error;
    fs::remove_all(temporary_, error);
    if (error) base::log_warning("cannot remove '" + temporary_ + "': " + error.message());
}

void AtlasFolder::write(const std::string& path, std::string_view bytes) const {
    std::ofstream file(temporary_ + "/" + path, std::ios::binary);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    file.close();
    ENSURE(!file.fail(), "cannot write '{}' of atlas '{}' ({}); make room and run report again",
           path, output_, std::strerror(errno));
}

void AtlasFolder::publish(std::string_view marker) {
    comm_.barrier();
    comm_.on_root([&] {
        write(marker_name, marker);
        sync_file_system(temporary_);
        change_places(temporary_, output_);
        sync_file_system(output_);
    });
    published_ = true;
}

}  // namespace nanoatlas::atlas
