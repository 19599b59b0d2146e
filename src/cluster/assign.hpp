// New rows put into clusters that are there, without finding them again.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cluster/density.hpp"
#include "cluster/hdbscan/selection.hpp"
#include "store/matrix.hpp"

namespace nanoatlas::cluster {

/// Of this rank's new rows.
struct Assignment {
    std::vector<std::int32_t> label;
    std::vector<double> confidence;  ///< from 0 to 1, each method in its own way
};

/// k-means: the nearest centroid, of equally near ones the first. Confidence is
/// 1 - (distance from it) / (distance from the second nearest): 0 midway between two, 1 on it.
/// Collective.
///
/// centroid  [K, columns], equal on all ranks
Assignment assign_to_centroids(const store::Matrix<double>& rows, std::span<const double> centroid);

/// Clusters of advanced density peaks, as clusters.h5 holds them; of all old rows, on every rank.
struct PeakClusters {
    std::vector<std::int32_t> label;
    std::vector<double> log_density, error;
    std::vector<std::int32_t> kstar;
    std::vector<double> saddle_density, saddle_error;  ///< [K, K], error 0: the two don't meet
    double dimension = 0;                              ///< intrinsic
};

struct PeakAssignment : Assignment {
    std::vector<double> log_density, error;
    std::vector<std::uint8_t> halo;
};

/// Advanced density peaks: by the density at the point over its neighbours among the old rows.
/// - Density: PAk over as many neighbours as its nearest old row used (k*).
/// - Label: that of the nearest neighbour with a higher g = log density - error, as in clustering;
///   that of the nearest one if there is none in the list (the new row tops a peak).
/// - Halo: a density below the highest saddle of the cluster.
/// - Confidence: the probability that the density is above that saddle, from normal errors of both;
///   1 in a cluster that meets no other.
/// A row that equals an old one gets what that one has. Collective; the same bits on any number of
/// ranks.
///
/// old  the matrix that was clustered; its rows may repeat
/// k    length of the neighbour lists, at least 2
/// throws InputError if the numbers of rows or columns don't agree
PeakAssignment assign_to_peaks(const store::Matrix<double>& rows, store::Matrix<double> old,
                               const PeakClusters& clusters, int k, const comm::Communicator& comm);

/// Clusters of HDBSCAN, as clusters.h5 holds them, on every rank.
struct TreeClusters {
    CondensedTree condensed;
    SelectedClusters selected;
    std::int64_t min_samples = 0;
};

/// HDBSCAN, by the rule of approximate_predict (hdbscan/predict.hpp): label -1 is noise, confidence
/// the probability. Collective; the same bits on any number of ranks.
///
/// old  the matrix that was clustered
/// throws InputError if the numbers of rows or columns don't agree
Assignment assign_to_tree(const store::Matrix<double>& rows, const store::Matrix<double>& old,
                          const TreeClusters& clusters, const comm::Communicator& comm);

}  // namespace nanoatlas::cluster
