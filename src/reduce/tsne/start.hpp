// Where the points of a t-SNE map begin.
#pragma once

#include "reduce/tsne/gradient.hpp"
#include "store/matrix.hpp"

namespace nanoatlas::reduce {

/// The leading principal components, scaled so that the first has a standard deviation of 1e-4, and
/// a hundredth of that at random, so that rows that coincide can part; where there are fewer
/// components than wanted, at random. Kobak, Berens, Nat. Commun. 10 (2019) 5416. Collective; the
/// same on every rank, on any number of them. T: float or double.
/// throws InputError if all rows are equal
template <class T>
MapPoints first_points(const store::Matrix<T>& matrix, int components, std::uint64_t seed,
                       const comm::Communicator& comm);

}  // namespace nanoatlas::reduce
