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

/// The file of a source: "a.h5" of "a.h5:/features".
std::string file_of_source(const std::string& source);

/// Reads a matrix, converted to T (float or double). The natural dataset of FILE.h5 is /features,
/// /embedding or the one two-dimensional one there is. A .npy of one dimension is one column.
/// Collective.
/// throws InputError if it cannot be read, is not two-dimensional, is empty, or holds a NaN or an
/// infinity (names row and column, counted from 0)
template <class T>
Matrix<T> read_matrix(const std::string& source, const comm::Communicator& comm);

/// A matrix that stays in its file: .npy or HDF5 as above. Reading is not collective.
class MatrixFile {
  public:
    /// Collective. throws InputError as read_matrix(), and for text, which has no rows to go to
    MatrixFile(const std::string& source, const comm::Communicator& comm);

    std::int64_t rows() const { return rows_; }
    std::int64_t columns() const { return columns_; }
    /// Whether float holds every value of the type in the file.
    bool fits_float() const { return fits_float_; }
    /// Rows [first, first + count), converted to T (float or double). throws InputError if one
    /// holds a NaN or an infinity
    template <class T = double>
    std::vector<T> read(std::int64_t first, std::int64_t count) const;
    /// The same in place of what values hold, whose memory is used again.
    template <class T>
    void read_into(std::int64_t first, std::int64_t count, std::vector<T>& values) const;

  private:
    std::string source_, path_, dataset_;
    bool is_npy_ = false, fits_float_ = false;
    std::int64_t rows_ = 0, columns_ = 0;
};

/// True if MatrixFile takes it, by its name.
bool can_stay_in_file(const std::string& source);

/// A column of labels: .npy, text (a label a line, or the column called "label"), FILE.h5:/dataset,
/// or FILE.h5, whose natural one is /label. Labels that are no numbers are names, numbered in
/// alphabetical order. The whole column on every rank. Collective.
/// throws InputError if it cannot be read or holds something else than whole numbers
std::vector<std::int64_t> read_labels(const std::string& source, const comm::Communicator& comm);

/// True if a job's --output asks for a plain table (.npy, .csv, .txt) rather than an artefact.
bool is_plain_table(const std::string& path);
/// Writes .npy (T as is) or text (.csv by commas, .txt by blanks), there whole or not at all; a
/// number's text reads back to the same bits. T: float, double, std::int32_t. Collective.
template <class T>
void write_plain_table(const std::string& path, const Matrix<T>& matrix,
                       const comm::Communicator& comm);

}  // namespace nanoatlas::store
