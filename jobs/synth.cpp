// nanoatlas synth: draws micrographs of ten categories by a model of the microscope.
#include <fmt/core.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/check.hpp"
#include "base/log.hpp"
#include "base/options.hpp"
#include "base/progress.hpp"
#include "base/stopwatch.hpp"
#include "base/version.hpp"
#include "comm/session.hpp"
#include "jobs/jobs.hpp"
#include "synth/categories.hpp"
#include "synth/files.hpp"

namespace nanoatlas::jobs {
namespace {

namespace fs = std::filesystem;

struct Options {
    std::string output;
    synth::FolderOptions folder;
    bool force = false;
};

// Bump when the same options give other pictures.
constexpr int model_version = 1;

// A folder's manifest: written before the first file with complete = false, and again after the
// last. It tells what to keep, what to replace, and that the folder is ours.
constexpr const char* manifest_name = "synth.json";

nlohmann::json manifest_of(const synth::FolderOptions& folder, bool complete) {
    return {{"format", "nanoatlas-synth"}, {"model_version", model_version},
            {"program", base::version()},  {"count", folder.count},
            {"seed", folder.seed},         {"size", folder.size},
            {"formats", folder.formats},   {"damaged", folder.damaged},
            {"complete", complete}};
}

nlohmann::json read_manifest(const fs::path& folder) {
    std::ifstream file(folder / manifest_name);
    return file ? nlohmann::json::parse(file, nullptr, false) : nlohmann::json();
}

void write_file(const fs::path& path, const synth::Bytes& bytes) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    file.close();
    ENSURE(file.good(), "cannot write '{}' (disk full, or no permission); make room and run again",
           path.string());
}

void write_manifest(const fs::path& folder, const synth::FolderOptions& options, bool complete) {
    const auto text = manifest_of(options, complete).dump(2) + "\n";
    const auto temporary = folder / (std::string(manifest_name) + ".part");
    write_file(temporary, {text.begin(), text.end()});
    fs::rename(temporary, folder / manifest_name);
}

// Takes away the files of an earlier synthesis with other options, and only those.
void remove_earlier(const fs::path& folder, const nlohmann::json& manifest) {
    synth::FolderOptions earlier;
    earlier.count = manifest.value("count", std::int64_t{0});
    earlier.seed = manifest.value("seed", std::uint64_t{0});
    earlier.formats = manifest.value("formats", earlier.formats);
    earlier.damaged = manifest.value("damaged", std::int64_t{0});
    const synth::Files files(earlier);
    std::error_code ignored;  // what cannot be removed cannot be written either, and is told then
    for (std::int64_t i = 0; i < files.count(); ++i) fs::remove(folder / files.path(i), ignored);
}

// Makes the folders; refuses one that holds something that is not ours.
void prepare_folder(const Options& options) {
    const fs::path folder = options.output;
    std::error_code error;
    VALIDATE(!fs::exists(folder, error) || fs::is_directory(folder, error),
             "cannot draw into '{}' (it is a file, not a folder); choose another --output",
             options.output);
    const auto manifest = read_manifest(folder);
    const bool ours = manifest.is_object() && manifest.value("format", "") == "nanoatlas-synth";
    VALIDATE(ours || !fs::exists(folder, error) || fs::is_empty(folder, error),
             "cannot draw into '{}' (it holds files that synth did not write); choose an empty or "
             "new folder",
             options.output);
    if (ours) remove_earlier(folder, manifest);
    for (const auto& category : synth::categories) {
        fs::create_directories(folder / category.name, error);
        VALIDATE(!error, "cannot make folder '{}' ({}); choose another --output",
                 (folder / category.name).string(), error.message());
    }
    write_manifest(folder, options.folder, false);
}

// Draws and writes this rank's share: every size()th file, on all threads. The first failure on any
// rank ends the work of all.
void write_files(const Options& options, const synth::Files& files,
                 const comm::Communicator& world) {
    const fs::path folder = options.output;
    const std::int64_t total = files.count(), ranks = world.size();
    const std::int64_t mine = (total - world.rank() + ranks - 1) / ranks;
    base::Progress progress("synth/draw", mine, "images");
    std::atomic<bool> failed = false;
    std::mutex lock;
    std::string cause;
#pragma omp parallel for schedule(dynamic)
    for (std::int64_t i = 0; i < mine; ++i) {
        if (failed) continue;
        try {
            const auto file = files.make(world.rank() + i * ranks);
            write_file(folder / file.path, file.bytes);
            progress.advance();
        } catch (const std::exception& error) {
            const std::lock_guard guard(lock);
            if (!failed.exchange(true)) cause = error.what();
        }
    }
    for (const auto& text : world.all_gather(std::vector<std::string>{cause}))
        ENSURE(text.empty(), "{}", text);
}

bool up_to_date(const Options& options, const comm::Communicator& world) {
    const bool same = world.is_root() && !options.force &&
                      read_manifest(options.output) == manifest_of(options.folder, true);
    return world.broadcast(static_cast<int>(same)) != 0;
}

}  // namespace

int run_synth(const Arguments& arguments, const comm::Communicator& world) {
    Options options;
    base::OptionTable table("synth", "draws micrographs of ten categories by a physical model");
    table.add("output", options.output, "folder to write, a subfolder per category").required();
    table.add("count", options.folder.count, "micrographs");
    table.add("seed", options.folder.seed, "another seed, other micrographs");
    table.add("size", options.folder.size, "width and height in pixels, before the info bar");
    table.add("formats", options.folder.formats,
              "of zeiss, fei (TIFF with their headers), tiff (both), jpeg, png");
    table.add("damaged", options.folder.damaged, "broken files beside the sound ones");
    table.add("force", options.force, "draw again what is up to date").volatile_option();
    if (table.parse(arguments) == base::Parsed::done) return comm::exit_status::done;

    const synth::Files files(options.folder);
    if (up_to_date(options, world)) {
        base::print(
            fmt::format("{}: up to date, {} micrographs", options.output, options.folder.count));
        return comm::exit_status::done;
    }
    const base::Stopwatch watch;
    world.on_root([&] { prepare_folder(options); });
    write_files(options, files, world);
    world.on_root([&] { write_manifest(options.output, options.folder, true); });
    base::print(fmt::format("{}: {} micrographs of {} categories, {} damaged files, {:.1f} s",
                            options.output, options.folder.count, synth::categories.size(),
                            options.folder.damaged, watch.seconds()));
    return comm::exit_status::done;
}

}  // namespace nanoatlas::jobs
