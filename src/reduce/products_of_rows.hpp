// Principal components of a matrix with more columns than rows, by way of its products of rows:
// these [N, N] have the eigenvalues of the products of columns [D, D].
#pragma once

#include <vector>

#include "comm/communicator.hpp"
#include "reduce/eigen.hpp"
#include "store/matrix.hpp"

namespace nanoatlas::reduce {

/// (x - mean)^T, [D, N], rounded to P, its rows in blocks over ranks. P, T: float or double.
/// Collective.
template <class P, class T>
store::Matrix<P> centred_transpose(const store::Matrix<T>& matrix, const std::vector<double>& mean,
                                   const comm::Communicator& comm);

/// Components [k, D] from the eigenvectors [k, N] of the products of rows: X^T u, of unit length;
/// those without variance are 0. T: float or double. Collective.
template <class T>
std::vector<double> components_from_rows(const store::Matrix<T>& matrix,
                                         const std::vector<double>& mean, const EigenPairs& pairs,
                                         const comm::Communicator& comm);

}  // namespace nanoatlas::reduce
