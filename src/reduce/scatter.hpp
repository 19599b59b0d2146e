// Sums over the rows of a matrix: column means and the scatter matrix.
//
// The same bits on any number of ranks and threads of one kind of processor (row_tiles.hpp).
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

/// Sum over rows of (x - mean)(x - mean)^T, [D, D], both triangles. Products are of f32, summed in
/// f32 within a tile and in f64 over tiles: error a few 1e-7 of the largest element.
/// Collective.
std::vector<double> scatter_matrix(const RowTiles& tiles, const ColumnMeans& means,
                                   const comm::Communicator& comm);

}  // namespace nanoatlas::reduce
