// What `cluster --method adp` says of other significances than the one asked for.
#pragma once

#include <string>
#include <vector>

#include "base/options.hpp"
#include "cluster/distinct_rows.hpp"
#include "cluster/landscape.hpp"
#include "cluster/peak_tree.hpp"
#include "cluster/z_scan.hpp"
#include "store/artefact.hpp"

namespace nanoatlas::jobs {

struct ScanOptions {
    std::string significance;  ///< "0.5,1,2"; "": none
    int subsamples = 0;        ///< --stability
};

struct Scan {
    std::vector<std::int64_t> centre;  ///< of the peaks before merging: rows
    std::vector<std::int32_t> peak;    ///< of this rank's rows, before merging
    std::vector<cluster::PeakMerge> merges;
    cluster::ZScan levels;
    cluster::Stability stability;
};

void add_scan_options(ScanOptions& options, base::OptionTable& table);
/// throws InputError if the options make no sense
void validate_scan(const ScanOptions& options);

/// The tree of all peaks, the labels at each significance of the options, and their stability (of
/// the clusters asked for where no others are). Collective.
Scan scan(const ScanOptions& options, double significance, const cluster::Neighbours& neighbours,
          const cluster::DensityEstimator& density_of, const cluster::Landscape& landscape,
          const comm::Communicator& world);

/// From the distinct rows to all that were given. Collective.
void spread_to_all_rows(Scan& scan, const cluster::DistinctRows& distinct,
                        const comm::Communicator& world);

/// Collective.
void write_scan(const Scan& scan, const comm::RowBlock& rows, store::ArtefactWriter& writer);

/// A line for each significance.
void print_scan(const Scan& scan);

}  // namespace nanoatlas::jobs
