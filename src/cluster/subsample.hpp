// Some of the rows: drawn at random, as a matrix of their own, and their neighbours out of the
// lists of all.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cluster/neighbours.hpp"
#include "store/matrix.hpp"

namespace nanoatlas::cluster {

/// Rows drawn without putting back, ascending; a function of its arguments alone.
std::vector<std::int64_t> draw_rows(std::int64_t rows, std::int64_t count, std::uint64_t seed,
                                    std::uint64_t number);

/// These rows of the matrix as one of their own, in blocks over ranks. Collective.
///
/// rows    in any order, a row more than once if wanted; the same on every rank
store::Matrix<double> take_rows(const store::Matrix<double>& matrix,
                                std::span<const std::int64_t> rows, const comm::Communicator& comm);

/// The lists of the kept rows without the others, exact and without another distance: cut to the
/// length that is left in the shortest. Rows are numbered anew and dealt in blocks. Collective.
///
/// kept    ascending, the same on every rank
/// throws  InputError if fewer than 2 neighbours are left in some list
Neighbours neighbours_among(const Neighbours& neighbours, std::span<const std::int64_t> kept,
                            const comm::Communicator& comm);

}  // namespace nanoatlas::cluster
