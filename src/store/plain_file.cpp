#include "store/plain_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/check.hpp"
#include "store/agree.hpp"
#include "store/output.hpp"

namespace nanoatlas::store {
namespace {

/// A POSIX file descriptor, closed at the end.
class Descriptor {
  public:
    Descriptor(const std::string& path, int flags) : id_(::open(path.c_str(), flags, 0644)) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (id_ >= 0) ::close(id_);
    }
    bool is_open() const { return id_ >= 0; }
    bool sync() const { return ::fsync(id_) == 0; }
    bool close() { return ::close(std::exchange(id_, -1)) == 0; }

    bool write_at(std::span<const char> bytes, std::int64_t offset) const {
        while (!bytes.empty()) {
            const auto written = ::pwrite(id_, bytes.data(), bytes.size(), offset);
            if (written < 0 && errno == EINTR) continue;
            if (written <= 0) return false;
            bytes = bytes.subspan(static_cast<std::size_t>(written));
            offset += written;
        }
        return true;
    }

  private:
    int id_;
};

void create(const std::string& temporary, const std::string& path) {
    const Descriptor file(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC);
    VALIDATE(file.is_open(),
             "cannot write '{}': {}; name a file in a folder that can be written to", path,
             std::strerror(errno));
}

void write_part(const std::string& temporary, const std::string& path, std::span<const char> bytes,
                std::int64_t offset) {
    if (bytes.empty()) return;
    Descriptor file(temporary, O_WRONLY | O_CLOEXEC);
    ENSURE(file.is_open() && file.write_at(bytes, offset) && file.sync() && file.close(),
           "cannot write '{}': {}; free some space or name another folder", path,
           std::strerror(errno));
}

void rename_into_place(const std::string& temporary, const std::string& path) {
    ENSURE(std::rename(temporary.c_str(), path.c_str()) == 0, "cannot rename '{}' to '{}': {}",
           temporary, path, std::strerror(errno));
    const Descriptor folder(folder_of(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder.is_open()) folder.sync();
}

}  // namespace

void publish_bytes(const std::string& path, std::span<const char> bytes,
                   const comm::Communicator& comm) {
    const auto temporary =
        comm.broadcast(path + ".part" + std::to_string(static_cast<std::int64_t>(::getpid())));
    comm.on_root([&] { create(temporary, path); });
    const auto offset = comm.exclusive_sum(static_cast<std::int64_t>(bytes.size()));
    try {
        agree_on_environment(comm, [&] { write_part(temporary, path, bytes, offset); });
        comm.on_root([&] { rename_into_place(temporary, path); });
    } catch (const EnvironmentError&) {
        if (comm.is_root()) ::unlink(temporary.c_str());
        throw;
    }
}

void publish_text(const std::string& path, std::string_view text, const comm::Communicator& comm) {
    publish_bytes(path, comm.is_root() ? std::span<const char>(text) : std::span<const char>(),
                  comm);
}

}  // namespace nanoatlas::store
