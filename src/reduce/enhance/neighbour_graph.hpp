// The graph that joins rows with their nearest ones, weighted by local scaling.
#pragma once

#include <cstdint>
#include <vector>

#include "reduce/enhance/step.hpp"

namespace nanoatlas::reduce {

/// Edges of this rank's rows: those of local row i are [begin[i], begin[i + 1]).
struct NeighbourGraph {
    std::vector<std::size_t> begin;
    std::vector<std::int64_t> to;  ///< rows of the whole matrix, ascending
    std::vector<double> weight;    ///< of a row's edges the sum is 1, or all are 0
};

/// Joins i and j if one is in the other's list; weights exp(-d^2 / (s_i s_j)), s the distance of
/// the seventh in a row's list, of the last if it is shorter; 1 where rows coincide. Zelnik-Manor,
/// Perona, NIPS 2004. Collective; the same on any number of ranks.
NeighbourGraph neighbour_graph(const NearestRows& nearest, const comm::RowBlock& rows,
                               const comm::Communicator& comm);

}  // namespace nanoatlas::reduce
