// Exact nearest neighbours, the obvious way: all distances in f64, sorted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace nanoatlas::kernels::reference {

/// Nearest first, equal distances by index; a row is not its own neighbour.
struct NeighbourLists {
    std::vector<std::int64_t> index;  ///< [n, k]
    std::vector<double> distance;     ///< [n, k], Euclidean
};

/// rows  [n, columns], row-major; k < n
NeighbourLists nearest_neighbours(std::span<const double> rows, std::size_t columns, std::size_t k);

}  // namespace nanoatlas::kernels::reference
