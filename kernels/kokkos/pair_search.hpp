// The search for neighbours where no pair can be left out beforehand: all products, in blocks that
// stay in the caches, each pair of rows once where both search.
#pragma once

#include <cstddef>
#include <functional>

#include "kernels/kokkos/neighbour_rows.hpp"
#include "kernels/kokkos/neighbours.hpp"
#include "kernels/kokkos/short_rows.hpp"

namespace nanoatlas::kernels::kokkos {

/// Rows that search, and those that are offered to them.
struct SearchingSide {
    const Searchers& searchers;
    const Candidates& candidates;
    const ShortRows& rows;  ///< the searchers', in strips of short_strip
};

/// Told how many searchers' worth of work is over; in all as many as there are.
using Done = std::function<void(std::size_t rows)>;

/// Compares all searchers with all candidates. others: the candidates' rows
void search_pairs(const SearchingSide& own, const ShortRows& others, const Done& done);

/// The same where candidates are the searchers themselves, in the same order.
void search_pairs_among(const SearchingSide& own, const Done& done);

/// Compares two sides that are each other's candidates: own rows below own_end with visitors from
/// their_first on; multiples of pair_block_rows, or the end.
void search_pairs_between(const SearchingSide& own, std::size_t own_end,
                          const SearchingSide& visitors, std::size_t their_first, const Done& done);

}  // namespace nanoatlas::kernels::kokkos
