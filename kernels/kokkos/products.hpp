// The matrix products of a principal component analysis: of columns with columns, for the scatter
// matrix, and of rows with components, for the projection.
//
// Products are of f32, summed in f32 over 256 terms and in f64 beyond. A sum's value depends on its
// own terms alone: not on the shapes, the place in the matrix or the number of threads.
#pragma once

#include <span>

namespace nanoatlas::kernels::kokkos {

/// sums[p, q] += the sum over rows of tile[i, p] tile[i, q], for q <= p (above the diagonal: left
/// as it was, or the same), rounded as (sum + anchor) - anchor: to the distance of doubles at
/// anchor.
///
/// tile [rows, columns], sums [columns, columns], row-major
void add_column_products(std::span<const float> tile, std::size_t columns, double anchor,
                         std::span<double> sums);

/// out[i, j] = the sum over columns of a[i, c] b[j, c].
///
/// a [m, columns], b [n, columns], out [m, n], row-major
void row_products(std::span<const float> a, std::span<const float> b, std::size_t columns,
                  std::span<double> out);

}  // namespace nanoatlas::kernels::kokkos
