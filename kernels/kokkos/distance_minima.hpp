// Minima over all distances between two blocks of rows: nearest rows of another group. Distances
// are of differences in f64, so equal rows are at 0. Blocks may come in any order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace nanoatlas::kernels::kokkos {

struct GroupedRows {
    std::span<const double> values;        ///< [n, columns], row-major
    std::span<const std::int64_t> group;   ///< [n]
    std::span<const std::int64_t> number;  ///< [n] of the row, among all
};

/// Where row i of a is nearer to a row of another group in b than squared_distance[i] says, notes
/// that row's number. Of equally near rows that of the least number counts. nearest is -1 at first.
void update_nearest(const GroupedRows& a, const GroupedRows& b, std::size_t columns,
                    std::span<std::int64_t> nearest, std::span<double> squared_distance);

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
