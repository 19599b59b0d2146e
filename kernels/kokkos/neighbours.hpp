// Exact nearest neighbours of a block of rows among other blocks that come by one after another.
//
// A tile of |x|^2 + |y|^2 - 2 x.y is a matrix product in f32 on centred, scaled rows. Its rounding
// is bounded for each pair, so it yields a lower and an upper bound of each squared distance. A
// pair whose lower bound is above the k-th smallest upper bound seen so far is out for certain; the
// few others are ranked by their squared distance in f64, summed from the original differences.
//
// Rows are worked on in the order of a k-d tree, in panels of 32 candidates. Near panels come
// first, so that limits are low from the start. A panel is passed over if its box or its ball is
// beyond the limits of all of a few neighbouring searchers: boxes tell in few dimensions; in many,
// where they overlap, a point's distance from the centre of a ball still does, and all 32 on a
// shelf cost one tile. Where neither tells, every tile is computed, and a thirtieth of the time is
// lost.
//
// Nothing is left to a margin that might have been too small: where rounding blurs everything (two
// far, tight clumps), more pairs are ranked in f64 and the answer is the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace nanoatlas::kernels::kokkos {

/// A translation and a scale that keep the f32 tiles precise. The neighbours don't depend on them,
/// only the time does. The same on all ranks.
struct Frame {
    std::vector<double> centre;  ///< [columns], for instance the mean
    double largest = 1;          ///< no |row - centre| has a component above it; > 0
};

/// The order in which rows [m, columns] are laid out; whoever has the rows finds it once.
std::vector<std::int32_t> layout_order(std::span<const double> rows, std::size_t columns);

class NeighbourSearch {
  public:
    /// rows       [n, columns], row-major, numbered from first_row on; must outlive the search
    /// order      layout_order(rows, columns)
    /// index, distance  [n, k]: where finish() writes; working room until then
    NeighbourSearch(std::span<const double> rows, std::span<const std::int32_t> order,
                    std::int64_t first_row, const Frame& frame, std::span<std::int64_t> index,
                    std::span<double> distance);
    ~NeighbourSearch();
    NeighbourSearch(const NeighbourSearch&) = delete;
    NeighbourSearch& operator=(const NeighbourSearch&) = delete;

    /// Offers rows [m, columns], numbered from first_row on, as neighbours. A row is not its own
    /// neighbour. In any order of blocks the result is the same to the bit.
    /// order: layout_order(candidates, columns), found once for all searches
    /// done: told of each group of rows that has been compared with the whole block
    void add(std::span<const double> candidates, std::span<const std::int32_t> order,
             std::int64_t first_row, const std::function<void(std::size_t rows)>& done = {});

    /// Lists complete: nearest first, equal distances by index. At least k candidates must have
    /// come by for each row.
    void finish();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace nanoatlas::kernels::kokkos
