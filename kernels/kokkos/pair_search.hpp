// The search for neighbours where no pair can be left out beforehand: all products, in blocks that
// stay in the caches, each pair of rows once where both search.
#pragma once

#include <cstddef>
#include <functional>

#include "kernels/kokkos/neighbour_rows.hpp"
#include "kernels/kokkos/short_rows.hpp"

namespace nanoatlas::kernels::kokkos {

/// Compares all searchers with all candidates.
/// own, others: their rows in strips of short_strip
/// done: told how many searchers' worth of work is over; in all as many as there are
void search_pairs(const Searchers& searchers, const ShortRows& own, const Candidates& candidates,
                  const ShortRows& others, const std::function<void(std::size_t rows)>& done);

/// The same where candidates are the searchers themselves, in the same order.
void search_pairs_among(const Searchers& searchers, const ShortRows& own,
                        const Candidates& candidates,
                        const std::function<void(std::size_t rows)>& done);

}  // namespace nanoatlas::kernels::kokkos
