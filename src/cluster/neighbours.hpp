// Exact nearest neighbours of the rows of a matrix, over all ranks.
#pragma once

#include <cstdint>
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
/// Blocks of rows pass round a ring, the next on its way while the present one is worked on; beyond
/// matrix and lists it needs two blocks, one rounded to f32, and tiles.
///
/// k       at least 1, below the number of rows
/// throws  InputError if k is out of range, or if values are so large or so small throughout that
///         squared distances leave the range of f64
Neighbours find_neighbours(const store::Matrix<double>& matrix, int k,
                           const comm::Communicator& comm);

/// Collective. throws InputError if two rows coincide: names both
void check_rows_differ(const Neighbours& neighbours, const comm::Communicator& comm);

}  // namespace nanoatlas::cluster
