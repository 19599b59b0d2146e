// An edge between two rows, and the order of edges in which no two are equal, so that there is one
// least spanning tree.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

namespace nanoatlas::kernels {

/// By weight; equal weights by distance, then by rows. As it stands by default, it is above all
/// edges.
struct TreeEdge {
    double weight = std::numeric_limits<double>::infinity();    ///< mutual reachability
    double distance = std::numeric_limits<double>::infinity();  ///< Euclidean
    std::int64_t low = std::numeric_limits<std::int64_t>::max();
    std::int64_t high = std::numeric_limits<std::int64_t>::max();  ///< low < high

    bool is_there() const { return low != std::numeric_limits<std::int64_t>::max(); }
    // NOLINTNEXTLINE(modernize-use-nullptr): an alarm at the 0 that a defaulted comparison implies
    friend auto operator<=>(const TreeEdge&, const TreeEdge&) = default;
};

}  // namespace nanoatlas::kernels
