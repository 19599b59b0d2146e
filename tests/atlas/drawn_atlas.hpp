// An atlas drawn from a sample, and its files.
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "atlas/report.hpp"
#include "tests/atlas/sample.hpp"

namespace nanoatlas::testing {

/// Bytes by path.
using Files = std::map<std::string, std::string>;

/// All files of an atlas, but for the marker with its timings.
inline Files read_files(const std::filesystem::path& folder) {
    Files files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file() || entry.path().filename() == "atlas.json") continue;
        std::ostringstream text;
        text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
        files[std::filesystem::relative(entry.path(), folder).string()] = text.str();
    }
    return files;
}

/// Writes the sample into the folder; returns what its atlas is drawn by, into folder/atlas.
/// Collective.
inline atlas::ReportOptions write_for_atlas(const std::filesystem::path& folder,
                                            const Sample& sample, const comm::Communicator& comm) {
    write_sample(folder.string(), sample, comm);
    return {.files = {.corpus = folder / "corpus.h5",
                      .embedding = folder / "embedding.h5",
                      .clusters = folder / "clusters.h5",
                      .map = sample.has_map ? folder / "map.h5" : "",
                      .predictions = sample.has_predictions ? folder / "predictions.h5" : "",
                      .metrics = "",
                      .scores = "",
                      .dimension = ""},
            .output = folder / "atlas"};
}

/// Collective.
inline atlas::ReportSummary draw(const atlas::ReportOptions& options,
                                 const comm::Communicator& comm) {
    store::Provenance provenance(base::OptionTable("report", "a test"), comm);
    return atlas::write_atlas(options, provenance, comm);
}

}  // namespace nanoatlas::testing
