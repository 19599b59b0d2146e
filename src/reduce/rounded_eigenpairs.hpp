// The leading eigenvectors of a scatter matrix of rows that are rounded to 16 bits.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "reduce/eigen.hpp"
#include "reduce/scatter.hpp"

namespace nanoatlas::reduce {

/// The k leading eigenpairs of the scatter matrix, found in that of rounded rows
/// (kernels/kokkos/products.hpp), which takes two thirds of the time. Rounding is some 1e-4 of a
/// column's deviation, independent from row to row: along an eigenvector it adds up to a
/// sqrt(rows)-th of that. What vectors that lie too close together in the spectrum share because of
/// it is taken apart again by products in f64, so that variances along them are right to 1e-8
/// (about: that is a standard deviation). Nothing where it does not pay, or the next vectors beyond
/// the k are too close. The same bits on any number of ranks and threads, and on every rank.
/// T: float or double. Collective. throws InputError if rows in a file cannot be read
///
/// near  vectors [any number, D] that may be near the leading ones; the root's count
template <class T>
std::optional<EigenPairs> leading_eigenpairs_of_rounded_rows(const RowTiles<T>& tiles,
                                                             const ColumnMeans& means,
                                                             std::int64_t k,
                                                             const std::vector<double>& near,
                                                             const comm::Communicator& comm);

}  // namespace nanoatlas::reduce
