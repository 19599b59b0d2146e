#include "cluster/density_peaks.hpp"

#include <algorithm>
#include <limits>

#include "base/check.hpp"

namespace nanoatlas::cluster {
namespace {

class PeakDescription {
  public:
    PeakDescription(const Landscape& landscape, const Density& density, double significance,
                    const comm::Communicator& comm)
        : landscape_(landscape), density_(density), significance_(significance), comm_(comm) {}

    DensityPeaks describe(const MergedPeaks& merged) const {
        DensityPeaks result;
        std::vector<std::int32_t> number(landscape_.centre.size(), -1);
        for (std::size_t c = 0; c < landscape_.centre.size(); ++c)
            if (merged.survivor[c] == static_cast<std::int32_t>(c)) {
                number[c] = static_cast<std::int32_t>(result.centre.size());
                result.centre.push_back(landscape_.centre[c]);
            }
        const auto highest = fill_saddles(result, merged.saddles, number);
        for (std::size_t i = 0; i < landscape_.label.size(); ++i) {
            const auto cluster = merged.survivor[static_cast<std::size_t>(landscape_.label[i])];
            const auto label = number[static_cast<std::size_t>(cluster)];
            result.label.push_back(label);
            result.halo.push_back(
                density_.log_density[i] < highest[static_cast<std::size_t>(label)] ? 1 : 0);
        }
        return result;
    }

  private:
    // Returns the highest saddle of each cluster.
    std::vector<double> fill_saddles(DensityPeaks& result, std::span<const Saddle> saddles,
                                     std::span<const std::int32_t> number) const {
        const auto clusters = result.centre.size();
        const double floor = lowest_density() - 1;
        result.saddle_density.assign(clusters * clusters, floor);
        result.saddle_error.assign(clusters * clusters, 0);
        for (std::size_t c = 0; c < clusters; ++c)
            result.saddle_density[c * clusters + c] = floor - 1;
        std::vector<double> highest(clusters, -std::numeric_limits<double>::infinity());
        for (const auto& saddle : saddles) {
            const auto a = static_cast<std::size_t>(number[static_cast<std::size_t>(saddle.low)]);
            const auto b = static_cast<std::size_t>(number[static_cast<std::size_t>(saddle.high)]);
            for (const auto place : {a * clusters + b, b * clusters + a}) {
                result.saddle_density[place] = saddle.density;
                result.saddle_error[place] = saddle.error;
            }
            for (const auto cluster : {a, b})
                highest[cluster] = std::max(highest[cluster], saddle.density);
        }
        return highest;
    }

    double lowest_density() const {
        double lowest = std::numeric_limits<double>::infinity();
        for (std::size_t i = 0; i < density_.error.size(); ++i)
            lowest = std::min(lowest, density_.log_density[i] - significance_ * density_.error[i]);
        return comm_.min(lowest);
    }

    const Landscape& landscape_;
    const Density& density_;
    double significance_;
    const comm::Communicator& comm_;
};

}  // namespace

DensityPeaks significant_peaks(const Landscape& landscape, const Density& density,
                               const DensityPeaksOptions& options, const comm::Communicator& comm) {
    VALIDATE(options.significance >= 0,
             "--Z is {} (it counts the standard errors by which a peak stands out); give 0 or more",
             options.significance);
    const auto merged = merge_peaks(landscape.peak, landscape.saddle, options.significance);
    return PeakDescription(landscape, density, options.significance, comm).describe(merged);
}

DensityPeaks density_peaks(const Neighbours& neighbours, const Density& density,
                           const DensityPeaksOptions& options, const comm::Communicator& comm) {
    return significant_peaks(find_landscape(neighbours, density, comm), density, options, comm);
}

}  // namespace nanoatlas::cluster
