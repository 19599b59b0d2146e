// Exact nearest neighbours of the rows of a matrix, over all ranks.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "comm/distribution.hpp"
#include "store/matrix.hpp"

namespace nanoatlas::cluster {

/// The k nearest rows of each of this rank's rows; a row is not its own neighbour.
struct Neighbours {
    comm::RowBlock rows;
    int k = 0;
    std::vector<std::int64_t> index;  ///< [rows.count, k] nearest first, equal distances by index
    std::vector<double> distance;     ///< [rows.count, k] Euclidean, ascending
    /// Places of this rank's rows, near in space where near in it, as the search laid them out; or
    /// none. Nothing that is found depends on it.
    std::vector<std::int32_t> order = {};

    std::span<const std::int64_t> index_of(std::int64_t local) const {
        return std::span(index).subspan(static_cast<std::size_t>(local * k),
                                        static_cast<std::size_t>(k));
    }
    std::span<const double> distance_of(std::int64_t local) const {
        return std::span(distance).subspan(static_cast<std::size_t>(local * k),
                                           static_cast<std::size_t>(k));
    }
};

/// Collective. Equal to sorting all distances computed in f64, on any number of ranks, to the bit.
/// Blocks of rows pass round a ring in parts of up to 16 million values (128 MiB; 96 MiB if they
/// are wide and in f32), the next on its way while the present one is worked on; beyond matrix and
/// lists it needs two parts, the own block in f32 and, if it is wide, in 16 bits, and tiles. A
/// matrix of up to 64 MiB comes to each rank whole, unless all pairs are compared
/// (kernels/kokkos/neighbours.hpp).
///
/// k       at least 1, below the number of rows
/// throws  InputError if k is out of range, or if values are so large or so small throughout that
///         squared distances leave the range of f64
Neighbours find_neighbours(const store::Matrix<double>& matrix, int k,
                           const comm::Communicator& comm);

/// Rows that are fetched when they are wanted.
struct RowSource {
    std::int64_t rows = 0, columns = 0;
    /// Rows [first, first + count), the same whenever they are asked for. Not collective; may
    /// throw.
    std::function<std::vector<double>(std::int64_t first, std::int64_t count)> read;
};

/// The same with the matrix elsewhere, as in its file: each rank holds `at_once` rows that search,
/// and as many that come by, twice (one on its way). So the source is read once for each such part
/// of a rank's rows, each rank its share, and passed round. Collective.
///
/// sink    called with the complete lists of some rows of this rank, in order; not collective
/// throws  as above, and what reading throws
void find_neighbours_in_parts(const RowSource& source, int k, std::int64_t at_once,
                              const std::function<void(const Neighbours& lists)>& sink,
                              const comm::Communicator& comm);

/// Collective. throws InputError if two rows coincide: names both
void check_rows_differ(const Neighbours& neighbours, const comm::Communicator& comm);

}  // namespace nanoatlas::cluster
