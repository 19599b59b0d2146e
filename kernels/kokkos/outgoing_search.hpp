// The least edge of mutual reachability from each of some rows to a row of another component,
// among blocks of rows that come by one after another: what a round of Boruvka's algorithm lacks
// where lists of neighbours do not tell.
//
// As in the search for neighbours, tiles of |x|^2 + |y|^2 - 2 x.y are f32 products with a bound on
// their rounding, and whatever that lets pass is decided in f64. Tiles are left out where cells of
// a k-d tree, or planes between two components, show that no row is within the limit of any other;
// a limit is the least weight found so far for a component.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/kokkos/neighbours.hpp"

namespace nanoatlas::kernels::kokkos {

/// All rows of all ranks, and the components that they form so far.
struct ReachabilityGraph {
    std::span<const double> core;             ///< [rows] core distances
    std::span<const std::int32_t> component;  ///< [rows] from 0
    double alpha = 1;                         ///< by which distances are divided
    /// [rows] a division of the components that keeps rows together that are near each other; it
    /// and the centres make the search fast, the edges don't depend on them.
    std::span<const std::int32_t> group;
    std::size_t groups = 0;
    std::span<const double> centres;  ///< [centres, columns] the middles of the first groups
};

/// Rows of this rank and the order in which to go through them.
struct OrderedRows {
    std::span<const double> values;       ///< [n, columns]
    std::int64_t first_row = 0;           ///< number of the first
    std::span<const std::int32_t> order;  ///< places in values, near in space where near in it
};

/// Edges by row of the rank, and limits by component.
struct OutgoingEdges {
    std::span<double> weight, distance;  ///< [n] infinity: none found
    std::span<std::int64_t> to;          ///< [n] numbers of rows
    /// [components] edges of greater weight are not looked for; falls to the least weight found.
    std::span<double> limit;
};

class OutgoingSearch {
  public:
    /// rows: order names those that search. All that is handed over must outlive the search.
    OutgoingSearch(const OrderedRows& rows, const Frame& frame, const ReachabilityGraph& graph,
                   const OutgoingEdges& edges);
    ~OutgoingSearch();
    OutgoingSearch(const OutgoingSearch&) = delete;
    OutgoingSearch& operator=(const OutgoingSearch&) = delete;

    /// Offers the rows of a block.
    void add(const OrderedRows& candidates);

    /// Edges complete: of each row the least by weight, distance and row within its component's
    /// limit as it now is; beyond the limit there may be an edge or none.
    void finish();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace nanoatlas::kernels::kokkos
