// k-means: clusters as the rows nearest to each of K means.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "store/matrix.hpp"

namespace nanoatlas::cluster {

struct KMeansOptions {
    int clusters = 0;        ///< K, at least 1
    int restarts = 4;        ///< starts tried; the least inertia counts, of equal ones the first
    int iterations = 300;    ///< at most, of each start
    std::uint64_t seed = 1;  ///< of the starts
};

struct KMeans {
    std::vector<std::int32_t> label;  ///< of this rank's rows
    std::vector<double> distance;     ///< of this rank's rows from their centroid
    std::vector<double> centroid;     ///< [K, columns]
    std::vector<std::int64_t> size;   ///< [K] rows of all ranks
    double inertia = 0;               ///< sum of the squared distances
    int iterations = 0;               ///< assignments made, of the start that counts
    bool converged = false;           ///< the last one changed nothing

    std::int64_t clusters() const { return static_cast<std::int64_t>(size.size()); }
};

/// Lloyd's iteration from k-means++ starts, until no row changes its cluster. Clusters are numbered
/// in the order in which their first centres were drawn. Collective; the same bits on any number of
/// ranks: each row gets what plain f64 gives it, sums of rows are of whole numbers.
/// Lloyd, IEEE Trans. Inf. Theory 28 (1982) 129; Arthur, Vassilvitskii, SODA 2007, with
/// 2 + log(K) candidates for each centre, of which the best is taken.
///
/// A cluster that loses all its rows gets the row that is furthest from its centroid (of equal ones
/// the first; none that is alone in its cluster).
/// throws InputError if options are out of range, if fewer rows differ than clusters are asked for,
/// or if squared distances leave the range of f64
KMeans kmeans(const store::Matrix<double>& matrix, const KMeansOptions& options,
              const comm::Communicator& comm);

/// The same from given centres [K, columns], equal on all ranks. A cluster may remain empty, with
/// its centre where it was, if fewer rows differ than there are clusters.
KMeans kmeans_from(const store::Matrix<double>& matrix, std::span<const double> start,
                   int iterations, const comm::Communicator& comm);

/// A start by k-means++: [clusters, columns]. Collective.
/// throws InputError if fewer rows differ than clusters are asked for
std::vector<double> kmeans_start(const store::Matrix<double>& matrix, int clusters,
                                 std::uint64_t seed, std::uint64_t restart,
                                 const comm::Communicator& comm);

}  // namespace nanoatlas::cluster
