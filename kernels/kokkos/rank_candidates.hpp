// Candidates that are left, from their positions to the lists in f64.
#pragma once

#include "kernels/kokkos/neighbour_rows.hpp"

namespace nanoatlas::kernels::kokkos {

/// Measures the lists' candidates among `placed` and brings them into those of the searchers. The
/// lists are empty then.
void rank_candidates(const Searchers& searchers, const PlacedRows& placed,
                     const CandidateLists& lists);

}  // namespace nanoatlas::kernels::kokkos
