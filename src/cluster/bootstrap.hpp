// How far scores vary by the rows that happen to be there: intervals by drawing rows anew.
#pragma once

#include <cstdint>
#include <span>

#include "cluster/scores.hpp"
#include "comm/distribution.hpp"

namespace nanoatlas::cluster {

struct BootstrapOptions {
    int replicates = 0;  ///< times that as many rows as there are are drawn, with repetition
    std::uint64_t seed = 1;
};

/// From the 2.5th to the 97.5th percentile of the replicates, between two by straight lines.
/// Efron, Tibshirani, An Introduction to the Bootstrap (1993), ch. 13.
struct Interval {
    double low = 0, high = 0;
};

struct ScoreIntervals {
    Interval nmi, ami, ari;
};

/// Collective: replicates are dealt over the ranks. A function of labels and seed alone, to the
/// bit. Labels as for compare().
ScoreIntervals bootstrap_scores(std::span<const std::int64_t> clusters,
                                std::span<const std::int64_t> truth,
                                const BootstrapOptions& options, const comm::Communicator& comm);

/// Of the mean of one value per row, all rows' on every rank. Collective.
Interval bootstrap_mean(std::span<const double> values, const BootstrapOptions& options,
                        const comm::Communicator& comm);

}  // namespace nanoatlas::cluster
