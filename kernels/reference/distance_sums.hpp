// Sums and minima over all distances between two blocks of rows, the obvious way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace nanoatlas::kernels::reference {

/// [m, labels]: sum of the distances from row i of a to the rows of b with label c.
std::vector<double> distances_by_label(std::span<const double> a, std::span<const double> b,
                                       std::size_t columns,
                                       std::span<const std::int32_t> label_of_b,
                                       std::size_t labels);

/// [m]: the row of b nearest to row i of a among those of another group; -1 if there is none.
std::vector<std::int64_t> nearest(std::span<const double> a,
                                  std::span<const std::int64_t> group_of_a,
                                  std::span<const double> b,
                                  std::span<const std::int64_t> group_of_b, std::size_t columns);

}  // namespace nanoatlas::kernels::reference
