// Density-based cluster validity (DBCV): clusters of any shape, judged by their densest
// connections.
#pragma once

#include <cstdint>
#include <span>

#include "store/matrix.hpp"

namespace nanoatlas::cluster {

/// From -1 to 1: the mean over all rows of the validity of their cluster, 0 for noise. That of a
/// cluster is (separation - sparseness) / the larger of the two, where distances are those of
/// mutual reachability by the all-points core distance, sparseness is the longest edge between
/// inner nodes (of more than one edge) of the cluster's spanning tree, and separation the least
/// distance of an inner node from one of another cluster.
/// Moulavi, Jaskowiak, Campello, Zimek, Sander, SDM 2014, in the conventions of the hdbscan
/// package's validity_index; but a cluster of one row counts as noise (there it has no answer), and
/// sums of powers don't leave the range of f64.
///
/// Collective; the same bits on any number of ranks. Clusters are dealt over the ranks, and the
/// rows of one must fit one rank's memory. Time goes with the square of the rows.
/// labels   of all rows, on every rank; negative: noise
/// returns  NaN if there are fewer than 2 clusters
double density_validity(const store::Matrix<double>& matrix, std::span<const std::int64_t> labels,
                        const comm::Communicator& comm);

}  // namespace nanoatlas::cluster
