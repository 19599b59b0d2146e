// Sums of the distances between rows by label: what silhouettes are made of.
//
// Distances are those of differences in f64, so equal rows are at 0; each counts as a whole number
// (fixed_point.hpp), so a pair may be met from either side, on any rank, in any order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/kokkos/fixed_point.hpp"

namespace nanoatlas::kernels::kokkos {

struct LabelledRows {
    std::span<const double> values;       ///< [n, columns], row-major
    std::span<const std::int32_t> label;  ///< [n], 0 to labels - 1
};

/// Adds to sums[i, c] the distances from row i to the rows with label c, sums being [n, labels].
class DistanceSums {
  public:
    /// fixed: for the largest distance, and as many rows as a label has
    DistanceSums(std::size_t columns, std::size_t labels, const FixedPoint& fixed)
        : columns_(columns), labels_(labels), fixed_(fixed) {}

    /// Of rows among themselves; each pair is computed once.
    void add_within(const LabelledRows& rows, std::span<std::int64_t> sums) const;

    /// Of rows of a to those of b and, in the same go, the other way round; if sums_of_b is empty,
    /// only the former, and labels of a don't count.
    void add_between(const LabelledRows& a, const LabelledRows& b,
                     std::span<std::int64_t> sums_of_a, std::span<std::int64_t> sums_of_b) const;

  private:
    std::size_t columns_, labels_;
    FixedPoint fixed_;
};

}  // namespace nanoatlas::kernels::kokkos
