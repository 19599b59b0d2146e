// Squared distances of many rows from a few: k-means++ and whatever else draws samples.
#pragma once

#include <cstddef>
#include <span>

namespace nanoatlas::kernels::kokkos {

/// squares[t, i] = the squared distance of row i from candidate t, or least[i] if that is less.
///
/// rows [n, columns], candidates [m, columns], least [n], squares [m, n]
void least_squares_with(std::span<const double> rows, std::span<const double> candidates,
                        std::size_t columns, std::span<const double> least,
                        std::span<double> squares);

}  // namespace nanoatlas::kernels::kokkos
