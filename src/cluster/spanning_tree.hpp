// The least spanning tree of mutual reachability, exact, over all ranks.
#pragma once

#include <span>
#include <vector>

#include "cluster/neighbours.hpp"
#include "kernels/tree_edge.hpp"
#include "store/matrix.hpp"

namespace nanoatlas::cluster {

/// All edges, ascending; the same on every rank.
using SpanningTree = std::vector<kernels::TreeEdge>;

/// The edge between rows a and b weighs max(core of a, core of b, |a - b| / alpha); equal weights
/// go by distance, then by rows, so there is one least tree, whatever the number of ranks.
///
/// Boruvka's rounds: each component joins the other end of its least edge outwards. The lists tell
/// that edge wherever it is no longer than all that a list of the component leaves out; only rows
/// of which that does not hold are compared with rows at large, within the least weight known.
/// Collective; each rank holds three numbers for each of all rows while it works.
/// March, Ram, Gray, KDD 2010, 603, for the bounds in Boruvka's algorithm.
///
/// neighbours  of the rows of the matrix; the longer the lists, the less is left to search
/// core        core distances of this rank's rows: none below that of its min_samples-th neighbour
/// alpha       above 0
SpanningTree spanning_tree(const store::Matrix<double>& matrix, const Neighbours& neighbours,
                           std::span<const double> core, double alpha,
                           const comm::Communicator& comm);

}  // namespace nanoatlas::cluster
