// Ways to search for neighbours block by block, as ranks do, in one process.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "kernels/kokkos/neighbours.hpp"
#include "kernels/reference/neighbours.hpp"

namespace nanoatlas::kernels {

struct Rows {
    std::vector<double> values;
    std::size_t count = 0, columns = 0;
};

Rows rows_of(std::size_t count, std::size_t columns,
             const std::function<double(std::size_t)>& value);

/// About the mean.
kokkos::Frame frame_of(const Rows& rows);

/// The first `count` axes: orthonormal to the bit, whatever they tell of the rows.
kokkos::Frame with_axes(kokkos::Frame frame, std::size_t count);

/// Candidates come by in blocks of the given size, the last block first.
reference::NeighbourLists search(const Rows& rows, const kokkos::Frame& frame, std::size_t k,
                                 std::size_t size);

/// Each block of the given size searches by itself: among its own rows first, then in the others,
/// as on a ring of ranks.
reference::NeighbourLists search_in_ring(const Rows& rows, const kokkos::Frame& frame,
                                         std::size_t k, std::size_t size);

/// Each block searches among its own rows; then it visits the blocks before it one after the other,
/// or, of every third pair, each visits the other with half of the rows of the first. In the end
/// its lists come home.
reference::NeighbourLists search_on_visits(const Rows& rows, const kokkos::Frame& frame,
                                           std::size_t k, std::size_t size);

}  // namespace nanoatlas::kernels
