// The search for neighbours panel by panel, the near ones first, those out of reach passed over.
#pragma once

#include <cstddef>
#include <functional>

#include "kernels/kokkos/neighbour_rows.hpp"
#include "kernels/kokkos/pair_bounds.hpp"
#include "kernels/kokkos/panels.hpp"
#include "kernels/kokkos/tile_rows.hpp"

namespace nanoatlas::kernels::kokkos {

/// Both sides of the search: values are of the searchers, interleaved by tile_left.
struct PanelSearch {
    Searchers searchers;
    InterleavedRows values;
    Candidates candidates;
    Panels panels;
    TileRounding rounding;
    PairBounds bounds;
};

/// done: told of each group of searchers that has been compared with all candidates
void search_panels(const PanelSearch& search, const std::function<void(std::size_t rows)>& done);

}  // namespace nanoatlas::kernels::kokkos
