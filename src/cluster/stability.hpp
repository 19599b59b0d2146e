// How far clusters stay the same when rows are left out, at several settings of a method.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "comm/distribution.hpp"

namespace nanoatlas::cluster {

/// Of S settings and T random parts of the rows, each [S, T].
struct Stability {
    std::vector<double> ari, ami;        ///< agreement with the labels of all rows
    std::vector<std::int64_t> clusters;  ///< found in the part
    int subsamples = 0;                  ///< T
};

struct StabilityOptions {
    int subsamples = 0;
    double share = 0.8;  ///< of the rows
    std::uint64_t seed = 1;
};

/// Some rows at S settings.
struct LabelsOfPart {
    std::vector<std::int32_t> label;     ///< [n, S] of this rank's block of them
    std::vector<std::int64_t> clusters;  ///< [S]
};

/// Clusters these rows alone: ascending, the same on every rank. Collective.
using PartClusterer = std::function<LabelsOfPart(std::span<const std::int64_t> rows)>;

/// Each part is clustered anew; its labels at each setting are held to those of the same rows among
/// all, noise as a cluster of its own (Ben-Hur, Elisseeff, Guyon, Pac. Symp. Biocomput. 2002, 6).
/// The parts are a function of seed and number of rows. Collective; the same on any number of ranks
/// if the clusters are.
///
/// label   [n, S] of this rank's rows, clustered with all others
/// throws  InputError if fewer than 3 rows would be left
Stability measure_stability(std::span<const std::int32_t> label, const comm::RowBlock& rows,
                            std::size_t settings, const PartClusterer& cluster_part,
                            const StabilityOptions& options, const comm::Communicator& comm);

}  // namespace nanoatlas::cluster
