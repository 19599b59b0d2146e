#include "cluster/z_scan.hpp"

#include "cluster/subsample.hpp"

namespace nanoatlas::cluster {

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
    return measure_stability(
        scan.label, neighbours.rows, scan.significance.size(),
        [&](std::span<const std::int64_t> kept) {
            const auto lists = neighbours_among(neighbours, kept, comm);
            auto part = scan_significance(find_landscape(lists, density_of(lists), comm),
                                          scan.significance);
            return LabelsOfPart{std::move(part.label), std::move(part.clusters)};
        },
        options, comm);
}

}  // namespace nanoatlas::cluster
