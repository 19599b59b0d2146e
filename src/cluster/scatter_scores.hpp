// How tight clusters are around their means, against how far these lie apart.
#pragma once

#include <cstdint>
#include <span>

#include "store/matrix.hpp"

namespace nanoatlas::cluster {

struct ScatterScores {
    /// Mean over clusters of the largest (s_i + s_j) / d_ij: s the mean distance of rows from their
    /// centroid, d that of two centroids; less is better. Davies, Bouldin, IEEE Trans. Pattern
    /// Anal. Mach. Intell. 1 (1979) 224.
    double davies_bouldin = 0;
    /// Variance between clusters over that within, each by its degrees of freedom; more is better.
    /// Calinski, Harabasz, Communications in Statistics 3 (1974) 1.
    double calinski_harabasz = 0;
};

/// Definitions and corner cases as in scikit-learn 1.x. Collective; the same bits on any number of
/// ranks.
///
/// labels   of all rows, on every rank; any whole numbers, each a cluster
/// returns  NaN if there are fewer than 2 clusters, or as many as rows
/// throws   InputError if squared distances leave the range of f64
ScatterScores scatter_scores(const store::Matrix<double>& matrix,
                             std::span<const std::int64_t> labels, const comm::Communicator& comm);

}  // namespace nanoatlas::cluster
