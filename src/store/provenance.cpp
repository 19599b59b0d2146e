#include "store/provenance.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <omp.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "base/check.hpp"
#include "base/version.hpp"
#include "store/hdf5.hpp"

namespace nanoatlas::store {
namespace {

namespace fs = std::filesystem;

std::string hex(std::uint64_t hash) {
    return fmt::format("{:016x}", hash);
}

std::uint64_t hash_text(const std::string& text) {
    return XXH3_64bits(text.data(), text.size());
}

std::uint64_t hash_piece(int file, std::int64_t offset, std::int64_t bytes,
                         const std::string& path) {
    constexpr std::size_t buffer_size = std::size_t{1} << 20;
    static thread_local std::vector<char> buffer(buffer_size);
    XXH3_state_t* state = XXH3_createState();
    XXH3_64bits_reset(state);
    while (bytes > 0) {
        const auto wanted = std::min<std::size_t>(buffer_size, static_cast<std::size_t>(bytes));
        const auto got = pread(file, buffer.data(), wanted, offset);
        if (got <= 0) {
            XXH3_freeState(state);
            throw EnvironmentError(fmt::format("cannot read '{}' to the end", path));
        }
        XXH3_64bits_update(state, buffer.data(), static_cast<std::size_t>(got));
        offset += got;
        bytes -= got;
    }
    const auto hash = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    return hash;
}

std::string processor() {
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);)
        if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
    return "unknown";
}

std::string now_utc() {
    const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    std::tm utc{};
    gmtime_r(&now, &utc);
    char text[32];
    const auto length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return {text, length};
}

nlohmann::json libraries() {
    char mpi[MPI_MAX_LIBRARY_VERSION_STRING];
    int length = 0;
    MPI_Get_library_version(mpi, &length);
    unsigned major = 0, minor = 0, release = 0;
    H5get_libversion(&major, &minor, &release);
    return {{"mpi", std::string(mpi, static_cast<std::size_t>(length))},
            {"hdf5", fmt::format("{}.{}.{}", major, minor, release)},
            {"kokkos", NANOATLAS_KOKKOS_VERSION},
            {"onednn", NANOATLAS_ONEDNN_VERSION},
            {"compiler", __VERSION__}};
}

nlohmann::json hardware() {
    utsname name{};
    uname(&name);
    return {{"host", name.nodename},
            {"system", fmt::format("{} {}", name.sysname, name.release)},
            {"processor", processor()},
            {"cores", std::thread::hardware_concurrency()},
            {"memory_bytes",
             static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGE_SIZE)}};
}

nlohmann::json as_object(const base::Settings& settings) {
    nlohmann::json object = nlohmann::json::object();
    for (const auto& [name, value] : settings) object[name] = value;
    return object;
}

}  // namespace

std::string hash_file(const std::string& path, const comm::Communicator& comm) {
    constexpr std::int64_t piece = std::int64_t{64} << 20;
    std::int64_t bytes = 0;
    comm.on_root([&] {
        std::error_code error;
        bytes = static_cast<std::int64_t>(fs::file_size(path, error));
        VALIDATE(!error && access(path.c_str(), R_OK) == 0,
                 "cannot read '{}' (no such file, or no permission); check the path", path);
    });
    bytes = comm.broadcast(bytes);
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    ENSURE(file >= 0, "cannot read '{}' on rank {}; do all nodes see it?", path, comm.rank());
    const std::int64_t pieces = (bytes + piece - 1) / piece;
    std::vector<std::uint64_t> hashes(static_cast<std::size_t>(pieces), 0);
    for (std::int64_t i = comm.rank(); i < pieces; i += comm.size())
        hashes[static_cast<std::size_t>(i)] =
            hash_piece(file, i * piece, std::min(piece, bytes - i * piece), path);
    close(file);
    comm.sum(std::span<std::uint64_t>(hashes));
    return hex(XXH3_64bits(hashes.data(), hashes.size() * sizeof(std::uint64_t)));
}

std::string hash_folder(const std::string& path, const comm::Communicator& comm) {
    std::string hash;
    comm.on_root([&] {
        VALIDATE(fs::is_directory(path), "cannot read folder '{}' (no such folder)", path);
        std::vector<std::string> entries;
        std::error_code error;
        // Links to folders are followed, as ingest does; each folder once, so that rings end.
        constexpr auto options = fs::directory_options::skip_permission_denied |
                                 fs::directory_options::follow_directory_symlink;
        std::set<std::pair<dev_t, ino_t>> visited;
        const auto is_new = [&](const fs::path& folder) {
            struct stat status {};
            return stat(folder.c_str(), &status) == 0 &&
                   visited.emplace(status.st_dev, status.st_ino).second;
        };
        is_new(path);
        for (auto it = fs::recursive_directory_iterator(path, options, error);
             !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
            std::error_code of_entry;
            if (it->is_directory(of_entry) && !is_new(it->path())) it.disable_recursion_pending();
            if (!it->is_regular_file(of_entry)) continue;
            entries.push_back(fmt::format(
                "{}|{}|{}", it->path().lexically_relative(path).string(), it->file_size(of_entry),
                it->last_write_time(of_entry).time_since_epoch().count()));
        }
        std::sort(entries.begin(), entries.end());
        hash = hex(hash_text(fmt::format("{}", fmt::join(entries, "\n"))));
    });
    return comm.broadcast(hash);
}

Provenance::Provenance(const base::OptionTable& options, const comm::Communicator& comm)
    : job_(options.job()),
      given_(options.given()),
      resolved_(options.resolved()),
      fingerprint_options_(options.fingerprint()),
      comm_(comm) {}

void Provenance::add_input(const std::string& path) {
    std::error_code ignored;  // hashing says what is wrong with the path
    const bool is_folder = comm_.broadcast(fs::is_directory(path, ignored));
    inputs_.push_back({path, is_folder ? hash_folder(path, comm_) : hash_file(path, comm_)});
}

void Provenance::add_result(const std::string& name, double value) {
    results_.emplace_back(name, value);
}

std::string Provenance::fingerprint() const {
    std::string text = fmt::format("{}\n{}\n{}\n", job_, base::version(), base::commit());
    for (const auto& [name, value] : fingerprint_options_)
        text += fmt::format("{}={}\n", name, value);
    for (const auto& input : inputs_) text += input.hash + "\n";
    return hex(hash_text(text));
}

std::string Provenance::json() const {
    nlohmann::json document = {{"job", job_},
                               {"version", base::version()},
                               {"commit", base::commit()},
                               {"written", now_utc()},
                               {"options_given", as_object(given_)},
                               {"options", as_object(resolved_)},
                               {"seed", seed_},
                               {"fingerprint", fingerprint()},
                               {"ranks", comm_.size()},
                               {"threads_per_rank", omp_get_max_threads()},
                               {"libraries", libraries()},
                               {"hardware", hardware()}};
    document["inputs"] = nlohmann::json::array();
    for (const auto& input : inputs_)
        document["inputs"].push_back({{"path", input.path}, {"hash", input.hash}});
    document["seconds"] = nlohmann::json::object();
    for (const auto& [name, seconds] : phases_.seconds()) document["seconds"][name] = seconds;
    document["results"] = nlohmann::json::object();
    for (const auto& [name, value] : results_) document["results"][name] = value;
    // Paths need not be UTF-8; that must not lose what has been computed.
    return document.dump(1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace nanoatlas::store
