#include "cluster/z_scan.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "cluster/scores.hpp"
#include "cluster/subsample.hpp"

namespace nanoatlas::cluster {
namespace {

/// Labels at one Z, of the rows `rows`.
std::vector<std::int64_t> column(std::span<const std::int32_t> label, std::size_t columns,
                                 std::size_t at, std::span<const std::int64_t> rows) {
    std::vector<std::int64_t> values;
    values.reserve(rows.size());
    for (const auto row : rows)
        values.push_back(label[static_cast<std::size_t>(row) * columns + at]);
    return values;
}

}  // namespace

ZScan scan_significance(const Landscape& landscape, std::span<const double> significance) {
    const auto columns = significance.size();
    ZScan scan{.significance = {significance.begin(), significance.end()},
               .label = std::vector<std::int32_t>(landscape.label.size() * columns),
               .clusters = {}};
    for (std::size_t s = 0; s < columns; ++s) {
        const auto merged = merge_peaks(landscape.peak, landscape.saddle, significance[s]);
        std::vector<std::int32_t> number(merged.survivor.size(), -1);
        std::int32_t clusters = 0;
        for (std::size_t peak = 0; peak < number.size(); ++peak)
            if (merged.survivor[peak] == static_cast<std::int32_t>(peak)) number[peak] = clusters++;
        for (std::size_t i = 0; i < landscape.label.size(); ++i) {
            const auto peak = merged.survivor[static_cast<std::size_t>(landscape.label[i])];
            scan.label[i * columns + s] = number[static_cast<std::size_t>(peak)];
        }
        scan.clusters.push_back(clusters);
    }
    return scan;
}

Stability measure_stability(const Neighbours& neighbours, const DensityEstimator& density_of,
                            const ZScan& scan, const StabilityOptions& options,
                            const comm::Communicator& comm) {
    const auto rows = neighbours.rows.total;
    const auto count =
        static_cast<std::int64_t>(std::floor(options.share * static_cast<double>(rows)));
    VALIDATE(count >= 3,
             "--stability leaves {} of {} rows (a density takes at least 3); leave it out", count,
             rows);
    const auto columns = scan.significance.size(),
               trials = static_cast<std::size_t>(options.subsamples);
    Stability stability{.ari = std::vector<double>(columns * trials),
                        .ami = std::vector<double>(columns * trials),
                        .clusters = std::vector<std::int64_t>(columns * trials),
                        .subsamples = options.subsamples};
    const auto whole = comm.all_gather(scan.label);
    std::vector<std::int64_t> all(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int64_t>(i);
    for (std::size_t t = 0; t < trials; ++t) {
        const auto kept = draw_rows(rows, count, options.seed, t);
        const auto lists = neighbours_among(neighbours, kept, comm);
        const auto part =
            scan_significance(find_landscape(lists, density_of(lists), comm), scan.significance);
        const auto labels = comm.all_gather(part.label);
        comm.on_root([&] {
            for (std::size_t s = 0; s < columns; ++s) {
                const auto scores =
                    compare(column(labels, columns, s, all), column(whole, columns, s, kept));
                stability.ari[s * trials + t] = scores.ari;
                stability.ami[s * trials + t] = scores.ami;
            }
        });
        for (std::size_t s = 0; s < columns; ++s)
            stability.clusters[s * trials + t] = part.clusters[s];
    }
    comm.broadcast(std::span<double>(stability.ari));
    comm.broadcast(std::span<double>(stability.ami));
    return stability;
}

}  // namespace nanoatlas::cluster
