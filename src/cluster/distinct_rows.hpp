// Rows that repeat: a density has no value where two rows coincide, so each is counted once.
#pragma once

#include <cstdint>
#include <vector>

#include "store/matrix.hpp"

namespace nanoatlas::cluster {

/// A matrix without the rows that repeat an earlier one.
struct DistinctRows {
    store::Matrix<double> matrix;  ///< in the order of first appearance
    std::vector<std::int64_t>
        original;  ///< [matrix.rows.total] row of the given matrix, on all ranks
    /// [rows of the given matrix on this rank] row of `matrix` that equals it.
    std::vector<std::int64_t> representative;
    comm::RowBlock given;  ///< rows of the given matrix

    std::int64_t repeats() const { return given.total - matrix.rows.total; }
};

/// Collective. Rows are equal if all their values are; 0 and -0 are.
DistinctRows find_distinct_rows(store::Matrix<double> matrix, const comm::Communicator& comm);

/// Values of the distinct rows (this rank's), given to each row of the matrix (this rank's).
/// Collective.
template <class T>
std::vector<T> spread(const std::vector<T>& values, const DistinctRows& rows,
                      const comm::Communicator& comm) {
    if (rows.repeats() == 0) return values;
    const auto all = comm.all_gather(values);
    std::vector<T> result;
    for (const auto row : rows.representative) result.push_back(all[static_cast<std::size_t>(row)]);
    return result;
}

}  // namespace nanoatlas::cluster
