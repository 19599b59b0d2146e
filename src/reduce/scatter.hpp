// Sums over the rows of a matrix: column means and the scatter matrix.
//
// The same bits on any number of ranks and threads (row_tiles.hpp, kernels/kokkos/products.hpp).
#pragma once

#include <vector>

#include "reduce/row_tiles.hpp"

namespace nanoatlas::reduce {

struct ColumnMeans {
    std::vector<double> mean;      ///< [D]
    double largest_deviation = 0;  ///< of any value from the mean of its column
};

/// Collective.
ColumnMeans column_means(const RowTiles& tiles, const comm::Communicator& comm);

/// Sum over rows of (x - mean)(x - mean)^T, [D, D], both triangles. Products are of f32, sums of
/// f32 within 256 rows and of f64 beyond: error a few 1e-7 of the largest element. Collective.
std::vector<double> scatter_matrix(const RowTiles& tiles, const ColumnMeans& means,
                                   const comm::Communicator& comm);

}  // namespace nanoatlas::reduce
