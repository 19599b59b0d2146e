// The leading eigenvectors of a scatter matrix that is never formed.
#pragma once

#include <cstdint>
#include <optional>

#include "reduce/eigen.hpp"
#include "reduce/scatter.hpp"
#include "reduce/subspace_iteration.hpp"

namespace nanoatlas::reduce {

struct RowEigenPairs {
    std::optional<EigenPairs> pairs;
    /// If there are none, vectors [any number, D] near the leading ones, or no vectors; on the
    /// root.
    VectorBlock near = {};
};

/// The k leading eigenpairs of the scatter matrix, by products of the rows with a block of vectors
/// (Halko, Martinsson, Tropp, SIAM Rev. 53 (2011) 217; subspace iteration from the eigenvectors of
/// a thousand of the rows). Every vector's residual is within 1e-6 of its eigenvalue's distance
/// from those left out, so the vector is right to about that. Nothing where the spectrum of the
/// thousand rows says that this takes longer than the matrix, or that products in f32 do not
/// suffice for it; or if it then does not converge. The same bits on any number of ranks and
/// threads, and on every rank. T: float or double. Collective.
/// throws InputError if rows in a file cannot be read
template <class T>
RowEigenPairs leading_eigenpairs_of_rows(const RowTiles<T>& tiles, const ColumnMeans& means,
                                         std::int64_t k, const comm::Communicator& comm);

}  // namespace nanoatlas::reduce
