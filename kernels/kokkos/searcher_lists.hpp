// What searchers know of their neighbours, between the blocks that come by and at the end.
#pragma once

#include <span>

#include "kernels/kokkos/neighbour_rows.hpp"
#include "kernels/kokkos/neighbours.hpp"

namespace nanoatlas::kernels::kokkos {

/// [n] by row, squared distances in the scale of the bounds: no neighbour is beyond it. FLT_MAX for
/// those that know of fewer than k.
DeviceView<float> limits_of(const Searchers& searchers);

/// Brings lists of rows [first, first + lists.rows()) into those of the searchers.
void merge_lists(const Searchers& searchers, std::size_t first, const ListsView& lists);

/// Measures what was kept among the searchers and may still be a neighbour, and brings it into the
/// lists.
void rank_kept(const Searchers& searchers);

}  // namespace nanoatlas::kernels::kokkos
