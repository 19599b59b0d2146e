// A rank's share of the sources, decoded on all its threads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "image/fingerprint.hpp"
#include "image/prepare.hpp"
#include "ingest/sources.hpp"
#include "store/corpus.hpp"

namespace nanoatlas::ingest {

/// What this rank decoded, in the order of the sources, and what all ranks know of it.
struct Decoded {
    store::CorpusRows rows;                       ///< of this rank, numbered
    std::vector<std::int64_t> source;             ///< [N] source of each row of the corpus
    std::vector<image::Fingerprint> fingerprint;  ///< [N]
    std::vector<std::uint8_t> is_small;           ///< [N] too few pixels for near duplicates
    std::vector<image::Rejected> rejected;        ///< of all ranks, in the order of the sources
};

/// Decodes this rank's share; what cannot be used goes to the rejects, with its cause.
/// Collective.
Decoded decode(const std::vector<image::Source>& sources, const Shares& shares,
               const image::PrepareOptions& options, const comm::Communicator& comm);

}  // namespace nanoatlas::ingest
