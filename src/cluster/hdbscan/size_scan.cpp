#include "cluster/hdbscan/size_scan.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "cluster/hdbscan/membership.hpp"
#include "cluster/hdbscan/validity.hpp"

namespace nanoatlas::cluster {
namespace {

std::size_t at(std::int64_t row) {
    return static_cast<std::size_t>(row);
}

double mean(const std::vector<double>& values) {
    return values.empty() ? std::numeric_limits<double>::quiet_NaN()
                          : std::accumulate(values.begin(), values.end(), 0.0) /
                                static_cast<double>(values.size());
}

/// What a scan keeps of one size.
void add(SizeScan& scan, const SpanningTree& tree, const HdbscanOptions& options,
         const comm::RowBlock& rows, std::size_t number) {
    const auto condensed = condense(single_linkage(tree), options.min_cluster_size);
    const auto selected = select_clusters(condensed, options.selection);
    const auto label = labels(condensed, selected, options.selection);
    const auto columns = scan.min_cluster_size.size();
    for (std::int64_t i = 0; i < rows.count; ++i)
        scan.label[at(i) * columns + number] = label[at(rows.first + i)];
    scan.clusters.push_back(static_cast<std::int64_t>(selected.count()));
    scan.noise.push_back(static_cast<double>(std::ranges::count(label, -1)) /
                         static_cast<double>(rows.total));
    scan.persistence.push_back(mean(persistences(condensed, selected, label)));
    scan.validity.push_back(relative_validity(tree, label));
}

}  // namespace

SizeScan scan_sizes(Reachability& reachability, const HdbscanOptions& options,
                    std::span<const std::int64_t> sizes) {
    const auto& rows = reachability.rows();
    SizeScan scan{.min_cluster_size = {sizes.begin(), sizes.end()},
                  .label = std::vector<std::int32_t>(at(rows.count) * sizes.size()),
                  .clusters = {},
                  .noise = {},
                  .persistence = {},
                  .validity = {}};
    for (std::size_t s = 0; s < sizes.size(); ++s) {
        auto of_size = options;
        of_size.min_cluster_size = sizes[s];
        add(scan, reachability.tree(samples_of(of_size), options.alpha), of_size, rows, s);
    }
    return scan;
}

Stability measure_stability(const Reachability& reachability, const HdbscanOptions& options,
                            const SizeScan& scan, const StabilityOptions& stability) {
    const auto& comm = reachability.comm();
    auto largest = options;
    largest.min_cluster_size = scan.min_cluster_size.back();
    return measure_stability(
        scan.label, reachability.rows(), scan.min_cluster_size.size(),
        [&](std::span<const std::int64_t> kept) {
            base::PhaseTimes phases;  // all of it is the scan's time
            Reachability part(reachability.take(kept), samples_of(largest), "", phases, comm);
            auto found = scan_sizes(part, options, scan.min_cluster_size);
            return LabelsOfPart{std::move(found.label), std::move(found.clusters)};
        },
        stability, comm);
}

}  // namespace nanoatlas::cluster
