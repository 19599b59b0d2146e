// Writes an atlas: a folder of static pages that a browser opens from disk.
#pragma once

#include <string>

#include "atlas/inputs.hpp"
#include "comm/communicator.hpp"
#include "store/provenance.hpp"

namespace nanoatlas::atlas {

struct ReportOptions {
    ReportFiles files;
    std::string output;  ///< the folder
};

struct ReportSummary {
    std::int64_t images = 0, sheets = 0;
    int clusters = 0;
};

/// Rank 0 works out the pages; ranks share the drawing of thumbnails and the decision graph. The
/// files are the same bytes on any number of ranks, but for the marker atlas.json, which holds the
/// provenance. Collective.
/// throws InputError as read_inputs and AtlasFolder do; an atlas that was there before then stays
ReportSummary write_atlas(const ReportOptions& options, store::Provenance& provenance,
                          const comm::Communicator& comm);

}  // namespace nanoatlas::atlas
