// How much nearer images are to their own cluster than to the next: values and their plot.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "comm/communicator.hpp"

namespace nanoatlas::atlas {

struct Atlas;

struct Silhouettes {
    std::vector<std::int64_t> row;  ///< ascending
    std::vector<double> value;      ///< in [-1, 1]
};

/// cluster::silhouette_of() of at most `most` rows, evenly by their order; each against all rows
/// that have a cluster. Empty if there are fewer than two clusters. Ranks share the rows.
/// Collective.
///
/// points   [N, columns], the same on every rank, as label is
Silhouettes silhouettes(std::span<const float> points, std::int64_t columns,
                        std::span<const std::int32_t> label, int clusters, std::int64_t most,
                        const comm::Communicator& comm);

/// A band for each cluster, the largest first: its values in descending order, its mean.
/// root: leads from the picture to the root of the atlas
std::string silhouette_chart(const Atlas& atlas, const std::string& root);

}  // namespace nanoatlas::atlas
