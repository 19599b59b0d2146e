// What `cluster --method hdbscan` says of other least sizes of a cluster than the one asked for.
#pragma once

#include <string>
#include <vector>

#include "cluster/hdbscan/size_scan.hpp"
#include "store/artefact.hpp"

namespace nanoatlas::jobs {

struct SizeScanOptions {
    std::string sizes;  ///< "5,10,20"; "": none
    int subsamples = 0;
};

struct SizesAndStability {
    cluster::SizeScan sizes;
    cluster::Stability stability;
};

/// The sizes to scan, ascending; the one asked for alone where subsamples are wanted and no other
/// size is. throws InputError if they make no sense
std::vector<std::int64_t> scanned_sizes(const SizeScanOptions& options,
                                        std::int64_t min_cluster_size);

/// Collective. sizes: scanned_sizes(), maybe none
SizesAndStability scan(const SizeScanOptions& options, std::span<const std::int64_t> sizes,
                       cluster::Reachability& reachability, const cluster::HdbscanOptions& method);

/// Collective.
void write_scan(const SizesAndStability& scan, const comm::RowBlock& rows,
                store::ArtefactWriter& writer);

/// A line for each size.
void print_scan(const SizesAndStability& scan);

}  // namespace nanoatlas::jobs
