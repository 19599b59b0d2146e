// Matrices in and out, rows in blocks over ranks: FILE.h5:/dataset, FILE.h5, .npy, .txt, .csv.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "comm/distribution.hpp"

namespace nanoatlas::store {

/// This rank's rows of a matrix [rows.total, columns], row-major.
template <class T>
struct Matrix {
    comm::RowBlock rows;
    std::int64_t columns = 0;
    std::vector<T> values;

    std::span<const T> row(std::int64_t local) const {
        return std::span<const T>(values).subspan(static_cast<std::size_t>(local * columns),
                                                  static_cast<std::size_t>(columns));
    }
    std::span<T> row(std::int64_t local) {
        return std::span<T>(values).subspan(static_cast<std::size_t>(local * columns),
                                            static_cast<std::size_t>(columns));
    }
};

/// Reads a matrix, converted to T (float or double). The natural dataset of FILE.h5 is /features,
/// /embedding or the one two-dimensional one there is. Collective.
/// throws InputError if it cannot be read, is not two-dimensional, is empty, or holds a NaN or an
/// infinity (names row and column)
template <class T>
Matrix<T> read_matrix(const std::string& source, const comm::Communicator& comm);

/// A column of whole numbers (labels): .npy, text with a number a line, FILE.h5:/dataset, or
/// FILE.h5, whose natural one is /label. The whole column on every rank. Collective.
std::vector<std::int64_t> read_labels(const std::string& source, const comm::Communicator& comm);

/// True if a job's --output asks for a plain table (.npy, .csv, .txt) rather than an artefact.
bool is_plain_table(const std::string& path);
/// Writes .npy (T as is) or text, there whole or not at all. Collective.
template <class T>
void write_plain_table(const std::string& path, const Matrix<T>& matrix,
                       const comm::Communicator& comm);

}  // namespace nanoatlas::store
