// The spanning tree of mutual reachability, the obvious way: all distances in f64.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "kernels/tree_edge.hpp"

namespace nanoatlas::kernels::reference {

/// The least spanning tree of rows [n, columns] under
/// max(core of a, core of b, |a - b| / alpha), core = distance of the min_samples-th other row;
/// ascending. min_samples < n.
std::vector<TreeEdge> spanning_tree(std::span<const double> rows, std::size_t columns,
                                    std::size_t min_samples, double alpha);

}  // namespace nanoatlas::kernels::reference
