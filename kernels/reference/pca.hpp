// The plain steps of a principal component analysis, in f64: covariance, all eigenvectors.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace nanoatlas::kernels::reference {

/// Sum over rows of (x - mean)(x - mean)^T, [columns, columns]. T: float or double.
template <class T>
std::vector<double> scatter(const std::vector<T>& values, std::int64_t rows, std::int64_t columns);

/// [m, n]: the sum over columns of a[i, c] b[j, c]. P: float or double.
template <class P>
std::vector<double> row_products(const std::vector<P>& a, const std::vector<P>& b,
                                 std::int64_t columns);

/// For each axis the sum over rows of (x - mean) ((x - mean) . axis), [k, columns].
///
/// values [n, columns], mean [columns], axes [k, columns]; T: float or double
template <class T>
std::vector<double> axis_scatter(const std::vector<T>& values, std::span<const double> mean,
                                 std::span<const double> axes);

struct Eigen {
    std::vector<double> values;   ///< [n], descending
    std::vector<double> vectors;  ///< [n, n], rows of unit length
};

/// All eigenpairs of a symmetric matrix [n, n] by Jacobi's cyclic rotations (Golub, Van Loan,
/// Matrix Computations, 8.5).
Eigen eigen(std::span<const double> matrix, std::int64_t n);

}  // namespace nanoatlas::kernels::reference
