// Rows put in an order in which those near each other in space stand near each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace nanoatlas::kernels::kokkos {

/// A permutation of the rows of [n, columns] in which each run of `leaf` rows from the start is a
/// cell of a tree, and rows within it go by finer cells. In few columns that of a k-d tree, split
/// at the median of the widest column (Bentley, Communications of the ACM 18 (1975) 509); in many,
/// a cell is split between the two clumps that a sample of it falls into.
std::vector<std::int32_t> space_order(std::span<const double> rows, std::size_t columns,
                                      std::size_t leaf);

}  // namespace nanoatlas::kernels::kokkos
