// The end of a search in which candidates among the searchers themselves were kept.
#pragma once

#include "kernels/kokkos/neighbour_rows.hpp"

namespace nanoatlas::kernels::kokkos {

/// Measures what may still be a neighbour, and brings it into the lists.
void rank_kept(const Searchers& searchers);

}  // namespace nanoatlas::kernels::kokkos
