#include "jobs/hdbscan_scan.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/log.hpp"
#include "jobs/scan_parts.hpp"

namespace nanoatlas::jobs {

std::vector<std::int64_t> scanned_sizes(const SizeScanOptions& options,
                                        std::int64_t min_cluster_size) {
    const auto numbers = parse_ascending(
        options.sizes, "min-cluster-size-scan", "whole numbers of 2 or more",
        [](double value) { return value >= 2 && value < 1e15 && value == std::floor(value); });
    std::vector<std::int64_t> sizes(numbers.begin(), numbers.end());
    if (sizes.empty() && options.subsamples > 0) sizes = {min_cluster_size};
    return sizes;
}

SizesAndStability scan(const SizeScanOptions& options, std::span<const std::int64_t> sizes,
                       cluster::Reachability& reachability, const cluster::HdbscanOptions& method) {
    SizesAndStability scan;
    if (sizes.empty()) return scan;
    scan.sizes = cluster::scan_sizes(reachability, method, sizes);
    if (options.subsamples > 0)
        scan.stability = cluster::measure_stability(reachability, method, scan.sizes,
                                                    {.subsamples = options.subsamples});
    return scan;
}

void write_scan(const SizesAndStability& scan, const comm::RowBlock& rows,
                store::ArtefactWriter& writer) {
    const auto& sizes = scan.sizes;
    const auto count = std::ssize(sizes.min_cluster_size);
    if (count == 0) return;
    writer.write_whole<std::int64_t>("scan/min_cluster_size", sizes.min_cluster_size, {count});
    writer.write_whole<std::int64_t>("scan/clusters", sizes.clusters, {count});
    writer.write_whole<double>("scan/noise", sizes.noise, {count});
    writer.write_whole<double>("scan/persistence", sizes.persistence, {count});
    writer.write_whole<double>("scan/validity", sizes.validity, {count});
    writer.write_rows<std::int32_t>("scan/label", sizes.label, rows, {count});
    write_stability(scan.stability, count, writer);
}

void print_scan(const SizesAndStability& scan) {
    const auto& sizes = scan.sizes;
    for (std::size_t s = 0; s < sizes.min_cluster_size.size(); ++s)
        base::print(fmt::format(
            "least size {}: {} clusters, noise {:.1f} %, persistence {:.3f}, "
            "validity {:.3f}{}",
            sizes.min_cluster_size[s], sizes.clusters[s], 100 * sizes.noise[s],
            sizes.persistence[s], sizes.validity[s], stability_words(scan.stability, s)));
}

}  // namespace nanoatlas::jobs
