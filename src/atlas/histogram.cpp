#include "atlas/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace nanoatlas::atlas {
namespace {

bool is_known(double value) {
    return std::isfinite(value) && value > 0;
}

}  // namespace

double LogBins::lower_edge(int bin) const {
    return std::pow(10.0, first_decade + static_cast<double>(bin) / per_decade);
}

int LogBins::bin_of(double value) const {
    // 1e-9 of a bin: 1e-8 m must not fall below its own edge by the rounding of log10.
    const double position = (std::log10(value) - first_decade) * per_decade + 1e-9;
    return std::clamp(static_cast<int>(std::floor(position)), 0, count() - 1);
}

LogBins log_bins(std::span<const double> values) {
    double low = INFINITY, high = -INFINITY;
    for (const double value : values)
        if (is_known(value)) {
            low = std::min(low, std::log10(value));
            high = std::max(high, std::log10(value));
        }
    if (low > high) return {};
    const int first = static_cast<int>(std::floor(low + 1e-9));
    const int last = static_cast<int>(std::floor(high + 1e-9));
    return {.first_decade = first, .decades = last - first + 1};
}

LogHistogram log_histogram(std::span<const double> values, const LogBins& bins) {
    LogHistogram histogram{
        .bins = bins, .counts = std::vector<std::int64_t>(static_cast<std::size_t>(bins.count()))};
    for (const double value : values)
        if (is_known(value))
            ++histogram.counts[static_cast<std::size_t>(bins.bin_of(value))];
        else
            ++histogram.unknown;
    return histogram;
}

std::vector<CategoryCount> category_counts(std::span<const std::int32_t> categories) {
    std::map<std::int32_t, std::int64_t> counts;
    for (const auto category : categories) ++counts[std::max(category, -1)];
    std::vector<CategoryCount> sorted;
    sorted.reserve(counts.size());
    for (const auto& [category, count] : counts) sorted.push_back({category, count});
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
        if ((a.category < 0) != (b.category < 0)) return b.category < 0;
        return a.count > b.count;
    });
    return sorted;
}

}  // namespace nanoatlas::atlas
