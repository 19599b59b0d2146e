// Principal component analysis of a matrix whose rows are spread over ranks.
//
// Means, covariance and the leading eigenvectors, their variances anew in f64, then the projection
// of the rows. The embedding is the same to the bit on any number of ranks. The covariance is of
// f32 products; of f64 where the least component wanted is too small beside the first for these.
// Rows are taken as they are given, in f32 or f64. Where the variance falls off so fast that a few
// products of the rows with vectors find the components, the covariance is not formed
// (row_eigenpairs.hpp). Where a matrix has more columns than rows and than 4,096, the matrix of
// products of rows takes the place of the covariance; the components then agree over ranks to
// 1e-10.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/matrix.hpp"

namespace nanoatlas::reduce {

struct PcaOptions {
    /// A number of components (at most rows - 1 or columns: a warning says so), or below 1 the
    /// share of the variance that they must exceed: "0.95".
    std::string components = "50";
    /// Whether Pca::squared_covariance is wanted, which takes the whole covariance.
    bool squared_covariance = false;
};

struct Pca {
    std::vector<double> mean;                ///< [D]
    std::vector<double> components;          ///< [k, D], rows of unit length; that of the largest
                                             ///< magnitude in a row is positive
    std::vector<double> explained_variance;  ///< [k], descending; over N - 1
    std::vector<double> explained_variance_ratio;  ///< [k], of the sum over all D

    double total_variance = 0;  ///< sum over all D; over N - 1
    /// sum of the squares of the covariance matrix, [D, D]; if it is wanted
    std::optional<double> squared_covariance = {};

    std::int64_t count() const { return static_cast<std::int64_t>(explained_variance.size()); }
};

/// T, here and below: float or double. Collective. The same on every rank.
/// throws InputError if there are fewer than 2 rows, all rows are equal, or what they differ by is
/// out of range (1e-30 to 1e30)
template <class T>
Pca fit_pca(const store::Matrix<T>& matrix, const PcaOptions& options,
            const comm::Communicator& comm);

enum class Whiten { off, on };

/// (x - mean) . components, [N, k]; whitened: each column divided by the square root of its
/// explained variance (columns without variance stay 0).
template <class T>
store::Matrix<float> project(const store::Matrix<T>& matrix, const Pca& pca, Whiten whiten);
/// The same, this rank's rows read 1,024 at a time. Collective. throws InputError if they
/// cannot be read, or hold a NaN or an infinity
store::Matrix<float> project(const store::MatrixFile& file, const Pca& pca, Whiten whiten,
                             const comm::Communicator& comm);

struct Reduction {
    Pca pca;
    store::Matrix<float> embedding;
};

/// fit_pca() and project(), the same bits. Rows are multiplied with the components once for both,
/// unless they are whitened. Collective.
template <class T>
Reduction fit_and_project(const store::Matrix<T>& matrix, const PcaOptions& options, Whiten whiten,
                          const comm::Communicator& comm);
/// The same of a matrix that stays in its file: it is read three times or a few more, 1,024
/// rows at a time; as a whole where the products of rows take the covariance's place. throws
/// InputError also if it cannot be read, or holds a NaN or an infinity
Reduction fit_and_project(const store::MatrixFile& file, const PcaOptions& options, Whiten whiten,
                          const comm::Communicator& comm);

}  // namespace nanoatlas::reduce
