// How likely two rows are neighbours, as t-SNE has it: a sparse symmetric matrix that sums up to 1.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "reduce/enhance/step.hpp"

namespace nanoatlas::reduce {

/// Of this rank's rows: the entries of local row i are [begin[i], begin[i + 1]).
struct Affinities {
    std::vector<std::size_t> begin;
    std::vector<std::int32_t> to;  ///< rows of the whole matrix, ascending
    std::vector<float> p;          ///< p_ij = (p_j|i + p_i|j) / 2N
};

/// p_j|i over some neighbours j of a row: proportional to exp(-b d_j^2), b such that the
/// perplexity, two to the power of the entropy in bits, is the one asked for (to 1e-6 of its
/// logarithm). Where more neighbours than that are equally near, or no b will do, the nearest are
/// equally likely. van der Maaten, Hinton, J. Mach. Learn. Res. 9 (2008) 2579, section 2. distance
/// ascending, more than perplexity
std::vector<double> conditional_probabilities(std::span<const double> distance, double perplexity);

/// From the k nearest of each row, of which the others are taken not to be neighbours at all: van
/// der Maaten, J. Mach. Learn. Res. 15 (2014) 3221, section 4.1, with k = 3 perplexity. Collective;
/// the same on any number of ranks.
/// rows  of this rank; below 2^31 in all
Affinities affinities(const NearestRows& nearest, double perplexity, const comm::RowBlock& rows,
                      const comm::Communicator& comm);

}  // namespace nanoatlas::reduce
