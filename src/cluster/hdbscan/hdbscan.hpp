// HDBSCAN: clusters of any shape and density, and noise, from the exact tree of mutual
// reachability.
#pragma once

#include <cstdint>
#include <vector>

#include "base/stopwatch.hpp"
#include "cluster/hdbscan/condensed_tree.hpp"
#include "cluster/hdbscan/reachability.hpp"
#include "cluster/hdbscan/selection.hpp"
#include "cluster/spanning_tree.hpp"
#include "store/matrix.hpp"

namespace nanoatlas::cluster {

struct HdbscanOptions {
    std::int64_t min_cluster_size = 5;
    /// The distance of so many-th other row is a row's core distance; 0: min_cluster_size.
    std::int64_t min_samples = 0;
    double alpha = 1;  ///< by which distances, but not core distances, are divided
    SelectionOptions selection;
};

/// K clusters, numbered as by the hdbscan package.
struct Hdbscan {
    comm::RowBlock rows;
    Metric metric = Metric::euclidean;  ///< of the distances that it goes by
    std::vector<std::int32_t> label;    ///< of this rank's rows; -1: noise
    std::vector<double> probability;    ///< of this rank's rows
    std::vector<double> outlier_score;  ///< GLOSH, of this rank's rows
    std::vector<double> persistence;    ///< [K]
    SelectedClusters selected;
    CondensedTree condensed;  ///< of all rows, on every rank
    SpanningTree tree;        ///< of all rows, on every rank
};

/// Equal to the hdbscan package with an exact tree; the same on any number of ranks. Rows that
/// repeat others are compared with others once. Collective. phases: measured as
/// cluster/neighbours, cluster/hdbscan/tree, cluster/hdbscan/clusters.
/// Campello, Moulavi, Sander, PAKDD 2013, 160; McInnes, Healy, ICDM Workshops 2017, 33.
///
/// throws InputError if an option is out of range, or there are fewer rows than min_cluster_size
Hdbscan hdbscan(store::Matrix<double> matrix, const HdbscanOptions& options,
                base::PhaseTimes& phases, const comm::Communicator& comm);

/// The same of lists that are there, however many times they are used.
/// options       checked, with check_rows(), too
/// reachability  with lists for their samples_of() or more
Hdbscan hdbscan(Reachability& reachability, const HdbscanOptions& options,
                base::PhaseTimes& phases);

/// min_samples as it is meant.
std::int64_t samples_of(const HdbscanOptions& options);

/// throws InputError if an option is out of range whatever the matrix
void check_options(const HdbscanOptions& options);
/// throws InputError if there are fewer rows than min_cluster_size; warns of fewer than min_samples
void check_rows(const comm::RowBlock& rows, const HdbscanOptions& options);

}  // namespace nanoatlas::cluster
