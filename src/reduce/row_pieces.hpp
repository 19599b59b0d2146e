// This rank's rows of a matrix, in memory or in its file, a few at a time.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "reduce/row_tiles.hpp"
#include "store/agree.hpp"
#include "store/matrix.hpp"

namespace nanoatlas::reduce {

/// T: float or double.
template <class T>
struct RowsInMemory {
    const store::Matrix<T>& matrix;

    comm::RowBlock block() const { return matrix.rows; }
    /// use(rows), in pieces of up to tile_rows.
    template <class Use>
    void for_each_piece(const Use& use) const {
        const auto values = std::span<const T>(matrix.values);
        for (std::int64_t first = 0; first < matrix.rows.count; first += tile_rows) {
            const auto count = std::min(tile_rows, matrix.rows.count - first);
            use(values.subspan(static_cast<std::size_t>(first * matrix.columns),
                               static_cast<std::size_t>(count * matrix.columns)));
        }
    }
};

/// Converted to T.
template <class T>
struct RowsInFile {
    const store::MatrixFile& file;
    const comm::Communicator& comm;

    comm::RowBlock block() const { return comm::row_block(file.rows(), comm); }
    /// use(rows), in pieces of up to tile_rows. Collective.
    /// throws InputError if they cannot be read, or hold a NaN or an infinity
    template <class Use>
    void for_each_piece(const Use& use) const {
        store::agree_on_input(comm, [&] {
            std::vector<T> rows;
            for (auto first = block().first; first < block().end(); first += tile_rows) {
                const auto count = std::min(tile_rows, block().end() - first);
                file.read_into(first, count, rows);
                use(std::span<const T>(rows));
            }
        });
    }
};

}  // namespace nanoatlas::reduce
