// Sums and minima over all distances between two blocks of rows: silhouettes and nearest rows of
// another group. Distances are of differences in f64, so equal rows are at 0.
#pragma once

#include <cstdint>
#include <span>

namespace nanoatlas::kernels::kokkos {

/// sums[i, c] += sum of the Euclidean distances from row i of a to the rows of b with label c.
///
/// a [m, columns], b [n, columns], row-major; label_of_b [n], 0 to labels - 1; sums [m, labels]
void add_distances_by_label(std::span<const double> a, std::span<const double> b,
                            std::size_t columns, std::span<const std::int32_t> label_of_b,
                            std::size_t labels, std::span<double> sums);

/// Where row i of a is nearer to a row of another group in b than squared_distance[i] says, notes
/// that row's place in b. Of equally near rows the first counts.
void update_nearest(std::span<const double> a, std::span<const std::int64_t> group_of_a,
                    std::span<const double> b, std::span<const std::int64_t> group_of_b,
                    std::size_t columns, std::span<std::int64_t> nearest,
                    std::span<double> squared_distance);

/// Rows of groups, each with a radius around it within which no distance counts.
struct RowsWithReach {
    std::span<const double> values;       ///< [n, columns]
    std::span<const std::int64_t> group;  ///< [n]
    std::span<const double> reach;        ///< [n]
};

/// least[i] = the lesser of itself and the least, over rows j of b of another group, of the largest
/// of distance, reach of i and reach of j.
void update_least_reach(const RowsWithReach& a, const RowsWithReach& b, std::size_t columns,
                        std::span<double> least);

}  // namespace nanoatlas::kernels::kokkos
