// Rows put in an order in which those near each other in space stand near each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace nanoatlas::kernels::kokkos {

/// One of several parts of a piece of work.
struct Share {
    int part = 0, parts = 1;

    std::size_t begin(std::size_t things) const { return limit(things, part); }
    std::size_t end(std::size_t things) const { return limit(things, part + 1); }

  private:
    std::size_t limit(std::size_t things, int before) const {
        return things * static_cast<std::size_t>(before) / static_cast<std::size_t>(parts);
    }
};

/// A permutation of the rows of [n, columns] in which each run of `leaf` rows from the start is a
/// cell of a tree, and rows within it go by finer cells. In few columns that of a k-d tree, split
/// at the median of the widest column (Bentley, Communications of the ACM 18 (1975) 509); in many,
/// a cell is split between the two clumps that a sample of it falls into.
///
/// Of the permutation, a share is about as many rows as the others': all shares one after the other
/// are the whole. A share costs its part, and the cuts that lead to its ends.
std::vector<std::int32_t> space_order(std::span<const double> rows, std::size_t columns,
                                      std::size_t leaf, const Share& share = {});

}  // namespace nanoatlas::kernels::kokkos
