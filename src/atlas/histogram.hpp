// Histograms over decades, for lengths that span many of them, and counts of categories.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace nanoatlas::atlas {

/// Bins of equal width in log10, whole decades from first_decade on.
struct LogBins {
    int first_decade = 0;
    int decades = 0;  ///< 0: there is nothing to count
    int per_decade = 5;

    int count() const { return decades * per_decade; }
    double lower_edge(int bin) const;
    /// Of a value in range; a value on an edge belongs to the bin above it.
    int bin_of(double value) const;
};

struct LogHistogram {
    LogBins bins;
    std::vector<std::int64_t> counts;  ///< [bins.count()]
    std::int64_t unknown = 0;          ///< NaN, infinite, zero or negative
};

/// Whole decades that hold all known (finite, positive) values.
LogBins log_bins(std::span<const double> values);
/// All known values must lie within the bins.
LogHistogram log_histogram(std::span<const double> values, const LogBins& bins);

struct CategoryCount {
    std::int32_t category = -1;
    std::int64_t count = 0;
};
/// Categories that occur, most frequent first, of equal ones the lower; -1 (none) last.
std::vector<CategoryCount> category_counts(std::span<const std::int32_t> categories);

}  // namespace nanoatlas::atlas
