// Exact nearest neighbours of a block of rows among other blocks that come by one after another.
//
// A tile of |x|^2 + |y|^2 - 2 x.y is a matrix product of centred, scaled rows. Its rounding is
// bounded for each pair, so it yields a lower and an upper bound of each squared distance. A pair
// whose lower bound is above the k-th smallest upper bound seen so far is out for certain; the few
// others are ranked by their squared distance in f64, summed from the original differences.
//
// Nothing is left to a margin that might have been too small: where rounding blurs everything (two
// far, tight clumps), more pairs are ranked in f64 and the answer is the same.
//
// Which pairs come to a product, and of what, depends on the rows:
//
// - In few columns they are worked on in the order of a k-d tree, in panels of 32 candidates, with
//   products in f32. Near panels come first, so that limits are low from the start. A panel is
//   passed over if its box or its ball is beyond the limits of all of a few neighbouring searchers:
//   boxes tell in few dimensions; in many, where they overlap, a point's distance from the centre
//   of a ball still does, and all 32 on a shelf cost one tile. Where neither tells, every tile is
//   computed, and a thirtieth of the time is lost.
// - In many columns most of the distance is often in few directions. Where the frame has such, the
//   same search goes by the components along them and the norm of the rest, whose distances are
//   lower bounds; what these let pass is looked at once more by 16-bit products of whole rows.
// - Without such directions nothing can be left out, and all pairs are compared by 16-bit products,
//   those among the searchers themselves once. So are rows of few columns if the frame says that
//   hardly a panel would be passed over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "kernels/kokkos/row_layout.hpp"

namespace nanoatlas::kernels::kokkos {

/// What rows know of their neighbours while they visit other searches; another's memory.
struct ListsView {
    std::span<std::int64_t> index;  ///< [rows, k] nearest first, of which `found` are meant
    std::span<double> squared;      ///< [rows, k] squared distances
    std::span<std::int32_t> found;  ///< [rows]
    std::span<const float> limit;   ///< [rows], as NeighbourSearch::limits() told

    std::size_t rows() const { return found.size(); }
};

/// Rows on both sides are compared in blocks of so many where all pairs are.
constexpr std::size_t pair_block_rows = 256;

/// As many visitors give all threads something to do; a multiple of pair_block_rows.
std::size_t enough_visitors();

class NeighbourSearch {
  public:
    using Done = std::function<void(std::size_t rows)>;

    /// rows       [n, columns], row-major, numbered from first_row on; must outlive the search
    /// layout     lay_out(rows, frame), must outlive it, too; its order may be that of more rows
    ///            without the others
    /// index, distance  [n, k]: where finish() writes; working room until then
    NeighbourSearch(std::span<const double> rows, const LayoutView& layout, std::int64_t first_row,
                    const Frame& frame, std::span<std::int64_t> index, std::span<double> distance);
    ~NeighbourSearch();
    NeighbourSearch(const NeighbourSearch&) = delete;
    NeighbourSearch& operator=(const NeighbourSearch&) = delete;

    /// Offers rows [m, columns], numbered from first_row on, as neighbours. A row is not its own
    /// neighbour. In any order of blocks the result is the same to the bit.
    /// candidates: or none, where the layout has them in f32
    /// layout: lay_out(candidates, frame), found once for all searches
    /// done: told of each group of rows that has been compared with the whole block
    void add(std::span<const double> candidates, const LayoutView& layout, std::int64_t first_row,
             const Done& done = {});

    /// Of the route `pairs`: compares rows [0, own_end) with those of another search, once for
    /// both. own_end: a multiple of pair_block_rows, or all visitors: as in add(); those from
    /// their_first on, a multiple of pair_block_rows, meet lists: theirs, which are updated
    void meet(std::size_t own_end, std::span<const double> visitors, const LayoutView& layout,
              std::int64_t first_row, std::size_t their_first, const ListsView& lists,
              const Done& done = {});

    /// By row: squared distances beyond which no neighbour can be, by what is known so far, in a
    /// scale that the frame gives.
    std::vector<float> limits() const;

    /// Brings in what rows [first, first + lists.rows()) have found elsewhere.
    void merge(std::size_t first, const ListsView& lists);

    /// Lists complete: nearest first, equal distances by index. At least k candidates must have
    /// come by for each row.
    void finish();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace nanoatlas::kernels::kokkos
