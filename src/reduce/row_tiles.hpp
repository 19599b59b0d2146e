// The rows of a matrix cut into tiles whose limits don't depend on the number of ranks.
//
// A sum over rows is the same to the bit on any number of ranks if (1) each tile is summed by one
// rank, in the order of its rows, and (2) the tiles' sums are rounded to multiples of a quantum so
// coarse that adding them is exact, whatever the order (Demmel, Nguyen, "Fast reproducible
// floating-point summation", ARITH 2013).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "store/matrix.hpp"

namespace nanoatlas::reduce {

/// Rows of a tile.
inline constexpr std::int64_t tile_rows = 1024;

/// The tiles that begin in this rank's rows: 1,024 rows each, from row 0 of the whole matrix on.
/// The matrix, in memory or in its file, must outlive it. T: float or double.
template <class T>
class RowTiles {
  public:
    /// Fetches the rows that the last tile needs from the ranks behind. Collective.
    RowTiles(const store::Matrix<T>& matrix, const comm::Communicator& comm);
    /// Tiles that are read when they are asked for.
    RowTiles(const store::MatrixFile& file, const comm::Communicator& comm);

    /// Number of tiles here; may be 0.
    std::int64_t count() const { return end_ - first_; }
    std::int64_t columns() const { return columns_; }
    std::int64_t total_rows() const { return mine_.total; }
    /// Limits of tile t of this rank, as rows of the whole matrix.
    std::int64_t begin_of(std::int64_t t) const { return (first_ + t) * tile_rows; }
    std::int64_t end_of(std::int64_t t) const;
    /// The rows of tile t of this rank, [end - begin, columns]: the matrix' own memory, or room.
    /// throws InputError if they are in a file and cannot be read, or are not finite
    std::span<const T> rows(std::int64_t t, std::vector<T>& room) const;

  private:
    void find_tiles();

    const store::Matrix<T>* matrix_ = nullptr;  ///< else in the file
    const store::MatrixFile* file_ = nullptr;
    comm::RowBlock mine_;
    std::int64_t columns_;
    std::int64_t first_ = 0, end_ = 0;  ///< tiles
    std::vector<T> behind_;             ///< rows after this rank's own
};

/// Rounds to multiples of a power of two, so that sums of up to bound in magnitude are exact.
class Quantum {
  public:
    /// bound: at least the magnitude of any sum of rounded values
    explicit Quantum(double bound);
    /// For magnitudes up to the bound.
    double round(double value) const { return (value + anchor_) - anchor_; }
    double anchor() const { return anchor_; }

  private:
    double anchor_;
};

}  // namespace nanoatlas::reduce
