// Workloads on the machine's own parts: sums over ranks, and files.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <span>

#include "base/check.hpp"
#include "base/options.hpp"
#include "jobs/bench_workloads.hpp"
#include "store/artefact.hpp"
#include "store/plain_file.hpp"
#include "store/provenance.hpp"

namespace nanoatlas::jobs {
namespace {

constexpr std::int64_t row_bytes = 64 * 1024;
constexpr double giga = 1e9;

std::int64_t bytes_of(const BenchOptions& options) {
    VALIDATE(options.megabytes > 0, "--megabytes is {}; give a number above 0", options.megabytes);
    return options.megabytes * 1000000;
}

/// Files of one measurement, removed at its end.
class BenchFiles {
  public:
    BenchFiles(const std::string& folder, const comm::Communicator& world) : world_(world) {
        const auto base =
            folder.empty() ? std::filesystem::temp_directory_path() : std::filesystem::path(folder);
        stem_ = world.broadcast((base / ("nanoatlas-bench-" + std::to_string(getpid()))).string());
    }
    ~BenchFiles() {
        if (!world_.is_root()) return;
        std::filesystem::remove(artefact());
        std::filesystem::remove(plain());
    }
    BenchFiles(const BenchFiles&) = delete;
    BenchFiles& operator=(const BenchFiles&) = delete;
    std::string artefact() const { return stem_ + ".h5"; }
    std::string plain() const { return stem_ + ".npy"; }

  private:
    const comm::Communicator& world_;
    std::string stem_;
};

}  // namespace

Workload allreduce_workload(const BenchOptions& options, const comm::Communicator& world) {
    VALIDATE(world.size() > 1, "one rank has nothing to sum; run it under mpirun with more");
    const auto bytes = bytes_of(options);
    const auto values =
        std::make_shared<std::vector<float>>(static_cast<std::size_t>(bytes) / sizeof(float));
    Workload workload;
    workload.amount = static_cast<double>(bytes) / giga;
    workload.unit = "GB/s";
    workload.sizes = {{"bytes", bytes}};
    workload.run = [=, &world] { world.sum(std::span<float>(*values)); };
    return workload;
}

Workload io_workload(const BenchOptions& options, const comm::Communicator& world) {
    const auto rows =
        comm::row_block(std::max<std::int64_t>(1, bytes_of(options) / row_bytes), world);
    const auto files = std::make_shared<BenchFiles>(options.folder, world);
    const auto values = std::make_shared<std::vector<std::uint8_t>>(
        static_cast<std::size_t>(rows.count * row_bytes), std::uint8_t{7});
    Workload workload;
    workload.amount = 2 * static_cast<double>(rows.total * row_bytes) / giga;  // written, read
    workload.unit = "GB/s";
    workload.sizes = {{"bytes", rows.total * row_bytes}};
    workload.run = [=, &world] {
        store::ArtefactWriter writer(files->artefact(), "bench", world);
        writer.write_rows<std::uint8_t>("values", *values, rows, {row_bytes});
        writer.publish(store::Provenance(base::OptionTable("bench", ""), world));
        store::ArtefactReader(files->artefact()).read_rows<std::uint8_t>("values", rows);
    };
    workload.bare = [=, &world] {
        const std::span bytes(reinterpret_cast<const char*>(values->data()), values->size());
        store::publish_bytes(files->plain(), bytes, world);
        std::vector<char> back(values->size());
        std::ifstream file(files->plain(), std::ios::binary);
        file.seekg(rows.first * row_bytes);
        file.read(back.data(), static_cast<std::streamsize>(back.size()));
    };
    return workload;
}

}  // namespace nanoatlas::jobs
