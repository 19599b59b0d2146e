// The leading eigenvectors of a symmetric positive semi-definite matrix.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"

namespace nanoatlas::reduce {

struct EigenPairs {
    std::vector<double> values;   ///< [k], descending
    std::vector<double> vectors;  ///< [k, n], rows of unit length
};

/// How eigenvectors are looked for.
struct EigenSearch {
    /// Vectors to begin with, [any number, n], that are near the leading ones; or none.
    std::vector<double> start = {};
    /// Of a residual |Av - lambda v|, over the distance of the eigenvalue from those left out: a
    /// vector is right to about that, its eigenvalue to the square.
    double tolerance = 1e-7;
};

/// The k largest eigenvalues and their vectors; matrix [n, n], both triangles; 1 <= k <= n.
/// Few of many are found by subspace iteration, accepted only when every residual is within the
/// tolerance, or below 1e-12 of the largest eigenvalue; otherwise by LAPACK's dsyevr. The same bits
/// on any number of threads but where LAPACK takes a matrix of 256 or more.
/// throws EnvironmentError if LAPACK fails
EigenPairs leading_eigenpairs(std::span<const double> matrix, std::int64_t n, std::int64_t k,
                              const EigenSearch& search = {});

/// The same by LAPACK's dsyevr alone.
EigenPairs leading_eigenpairs_lapack(std::span<const double> matrix, std::int64_t n,
                                     std::int64_t k);

/// The root's pairs to every rank; values below 0, which are rounding, become 0. Collective.
void broadcast(EigenPairs& pairs, std::int64_t n, const comm::Communicator& comm);

/// All eigenvalues, descending.
std::vector<double> all_eigenvalues(std::span<const double> matrix, std::int64_t n);

}  // namespace nanoatlas::reduce
