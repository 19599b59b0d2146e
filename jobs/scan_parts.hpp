// What scans over a setting of adp and of hdbscan have in common.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cluster/stability.hpp"
#include "store/artefact.hpp"

namespace nanoatlas::jobs {

/// "2,0.5,2": the numbers ascending, each once; "": none.
/// option  its name, for messages; rule: what the numbers are, "numbers of 0 or more"
/// throws  InputError if one cannot be read, or is_fine() is not true of it
std::vector<double> parse_ascending(const std::string& list, const char* option, const char* rule,
                                    const std::function<bool(double)>& is_fine);

/// throws InputError if --stability is out of range
void validate_subsamples(int subsamples);

/// scan/ari, scan/ami and scan/subsample_clusters, if there are subsamples. Collective.
void write_stability(const cluster::Stability& stability, std::int64_t settings,
                     store::ArtefactWriter& writer);

/// "; of 4 subsamples: ARI 0.912, AMI 0.871 on average"; nothing without subsamples.
std::string stability_words(const cluster::Stability& stability, std::size_t setting);

}  // namespace nanoatlas::jobs
