// Charts as SVG, for the pages.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "atlas/model.hpp"

namespace nanoatlas::atlas {

/// Bars of a histogram of lengths in m; behind it, thin, the shape of a whole that it is part of
/// (may be empty).
std::string histogram_chart(const LogHistogram& part, const LogHistogram& whole,
                            const std::string& title);

/// The tree of the clusters over log density, one line each.
/// root: leads from the picture to the root of the atlas
std::string dendrogram_chart(const Atlas& atlas, const std::string& root);

/// Of the predictions in one interval of confidence, how many there are and how many are right.
struct ReliabilityBin {
    std::int64_t count = 0, right = 0;
    double confidence = 0;  ///< sum
};
/// Bins of equal width over [0, 1].
std::vector<ReliabilityBin> reliability(std::span<const float> confidence,
                                        std::span<const char> right, int bins);
std::string reliability_chart(const std::vector<ReliabilityBin>& bins);

/// Predictions of at least this confidence: their share of all, and the share of right ones.
struct CoveragePoint {
    double threshold = 0, coverage = 0, precision = 0;
};
/// Precision over coverage, with a dot at the threshold that is in use (below 0: none is).
std::string coverage_chart(const std::vector<CoveragePoint>& curve, double threshold);

/// At most about `most` round numbers (1, 2, 5 times a power of ten) that lie in [low, high].
std::vector<double> round_ticks(double low, double high, int most);

}  // namespace nanoatlas::atlas
