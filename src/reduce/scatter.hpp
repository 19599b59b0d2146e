// Sums over the rows of a matrix: column means and the scatter matrix.
//
// The same bits on any number of ranks and threads (row_tiles.hpp, kernels/kokkos/products.hpp).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "reduce/eigen.hpp"
#include "reduce/row_tiles.hpp"

namespace nanoatlas::reduce {

struct ColumnMeans {
    std::vector<double> mean;       ///< [D]
    std::vector<double> deviation;  ///< [D] the largest of a value from the mean
    double largest_deviation = 0;   ///< of all columns
};

/// T: float or double. Collective.
/// throws InputError if rows in a file cannot be read, or are not finite
template <class T>
ColumnMeans column_means(const RowTiles<T>& tiles, const comm::Communicator& comm);

/// A symmetric matrix [n, n] by its lower triangle, row by row: element (p, q), q <= p, at
/// p (p + 1) / 2 + q.
struct PackedMatrix {
    std::int64_t n = 0;
    std::vector<double> lower;

    double diagonal(std::int64_t i) const {
        return lower[static_cast<std::size_t>(i * (i + 3) / 2)];
    }
    double trace() const;
    /// The sum of the squares of all elements, of both triangles.
    double sum_of_squares() const;
    /// [n, n], both triangles.
    std::vector<double> whole() const;
};

/// The k leading ones (eigen.hpp), found by rank 0, the same bits on every rank. Collective.
/// search: the root's counts
EigenPairs leading_eigenpairs(const PackedMatrix& matrix, std::int64_t k,
                              const comm::Communicator& comm, const EigenSearch& search = {});

/// Sum over rows of (x - mean)(x - mean)^T, [D, D]. Products are of P, as
/// kernels::kokkos::ColumnProducts has it; of f32, the error is a few 1e-7 of the largest element.
/// P: std::int16_t, float or double. Collective. throws InputError if rows in a file cannot be read
template <class P, class T>
PackedMatrix scatter_matrix(const RowTiles<T>& tiles, const ColumnMeans& means,
                            const comm::Communicator& comm);

}  // namespace nanoatlas::reduce
