#include "jobs/adp_scan.hpp"

#include <fmt/format.h>

#include "base/log.hpp"
#include "jobs/scan_parts.hpp"

namespace nanoatlas::jobs {
namespace {

std::vector<double> parse_significances(const std::string& list) {
    return parse_ascending(list, "Z-scan", "numbers of 0 or more, of standard errors",
                           [](double value) { return value >= 0; });
}

}  // namespace

void add_scan_options(ScanOptions& options, base::OptionTable& table) {
    table.add("Z-scan", options.significance,
              "adp: other Z to give labels for, with commas: 0.5,1,1.65,2,3");
}

void validate_scan(const ScanOptions& options) {
    parse_significances(options.significance);
    validate_subsamples(options.subsamples);
}

Scan scan(const ScanOptions& options, double significance, const cluster::Neighbours& neighbours,
          const cluster::DensityEstimator& density_of, const cluster::Landscape& landscape,
          const comm::Communicator& world) {
    const auto merged = cluster::merge_peaks(landscape.peak, landscape.saddle, significance);
    Scan scan{.centre = landscape.centre,
              .peak = landscape.label,
              .merges = cluster::peak_tree(landscape.peak, landscape.saddle, merged.survivor,
                                           significance),
              .levels = {},
              .stability = {}};
    auto levels = parse_significances(options.significance);
    if (levels.empty() && options.subsamples > 0) levels = {significance};
    if (levels.empty()) return scan;
    scan.levels = cluster::scan_significance(landscape, levels);
    if (options.subsamples > 0)
        scan.stability = cluster::measure_stability(neighbours, density_of, scan.levels,
                                                    {.subsamples = options.subsamples}, world);
    return scan;
}

void spread_to_all_rows(Scan& scan, const cluster::DistinctRows& distinct,
                        const comm::Communicator& world) {
    for (auto& centre : scan.centre) centre = distinct.original[static_cast<std::size_t>(centre)];
    scan.peak = cluster::spread(scan.peak, distinct, world);
    const auto columns = scan.levels.significance.size();
    std::vector<std::int32_t> label(static_cast<std::size_t>(distinct.given.count) * columns);
    for (std::size_t s = 0; s < columns; ++s) {
        std::vector<std::int32_t> column;
        for (auto i = s; i < scan.levels.label.size(); i += columns)
            column.push_back(scan.levels.label[i]);
        column = cluster::spread(column, distinct, world);
        for (std::size_t i = 0; i < column.size(); ++i) label[i * columns + s] = column[i];
    }
    scan.levels.label = std::move(label);
}

void write_scan(const Scan& scan, const comm::RowBlock& rows, store::ArtefactWriter& writer) {
    const auto merges = std::ssize(scan.merges);
    std::vector<std::int32_t> nodes;
    std::vector<double> significance;
    for (const auto& merge : scan.merges) {
        nodes.insert(nodes.end(), {merge.a, merge.b});
        significance.push_back(merge.significance);
    }
    writer.write_rows<std::int32_t>("merge_tree/label", scan.peak, rows);
    writer.write_whole<std::int64_t>("merge_tree/centres", scan.centre, {std::ssize(scan.centre)});
    writer.write_whole<std::int32_t>("merge_tree/nodes", nodes, {merges, 2});
    writer.write_whole<double>("merge_tree/Z", significance, {merges});
    const auto& levels = scan.levels;
    const auto count = std::ssize(levels.significance);
    if (count == 0) return;
    writer.write_whole<double>("scan/Z", levels.significance, {count});
    writer.write_whole<std::int64_t>("scan/clusters", levels.clusters, {count});
    writer.write_rows<std::int32_t>("scan/label", levels.label, rows, {count});
    write_stability(scan.stability, count, writer);
}

void print_scan(const Scan& scan) {
    const auto& levels = scan.levels;
    for (std::size_t s = 0; s < levels.significance.size(); ++s)
        base::print(fmt::format("Z {:g}: {} clusters{}", levels.significance[s], levels.clusters[s],
                                stability_words(scan.stability, s)));
}

}  // namespace nanoatlas::jobs
