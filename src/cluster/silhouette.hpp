// What the embedding itself says of labels: silhouettes, and the labels of nearest neighbours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/kokkos/fixed_point.hpp"
#include "kernels/kokkos/neighbours.hpp"
#include "store/matrix.hpp"

namespace nanoatlas::cluster {

/// Distances between rows of a frame as whole numbers, of which `rows` are added up.
kernels::kokkos::FixedPoint unit_of_distances(const kernels::kokkos::Frame& frame,
                                              std::int64_t rows);

/// (b - a) / max(a, b) of one row: a the mean distance to the others of its cluster, b that to the
/// nearest other cluster; 0 for one alone. Rousseeuw, J. Comput. Appl. Math. 20 (1987) 53.
///
/// sums   [clusters] of its distances to the rows of each, in units
/// own    its cluster
/// sizes  [clusters]; those without rows don't count
double silhouette_of(std::span<const std::int64_t> sums, const kernels::kokkos::FixedPoint& unit,
                     std::size_t own, std::span<const std::int64_t> sizes);

/// Mean over rows of (b - a) / max(a, b): a the mean distance to the others of the row's cluster, b
/// that to the nearest other cluster; 0 for a row alone in its cluster. Exact: all distances.
/// Rousseeuw, J. Comput. Appl. Math. 20 (1987) 53. Each distance counts as a whole multiple of
/// about a 2^-50 of the largest, so that sums are exact: the same bits on any number of ranks.
/// Collective.
///
/// labels   of all rows, on every rank; any whole numbers
/// returns  NaN if there are fewer than 2 clusters, or as many as rows
/// throws   InputError if squared distances would leave the range of f64
double silhouette(const store::Matrix<double>& matrix, std::span<const std::int64_t> labels,
                  const comm::Communicator& comm);

/// The same of each of this rank's rows.
std::vector<double> silhouettes(const store::Matrix<double>& matrix,
                                std::span<const std::int64_t> labels,
                                const comm::Communicator& comm);

/// Share of rows whose nearest other row has the same label. Rows with label -1 take no part; a
/// neighbour is looked for in other folds only. Collective.
///
/// folds    of all rows, on every rank; empty: each row its own (leave one out)
/// returns  NaN if no row has a neighbour
double nearest_neighbour_accuracy(const store::Matrix<double>& matrix,
                                  std::span<const std::int64_t> labels,
                                  std::span<const std::int64_t> folds,
                                  const comm::Communicator& comm);

}  // namespace nanoatlas::cluster
