// Candidates in panels that are cells in space, and what tells that a panel is out of reach.
#pragma once

#include <cstddef>

#include "kernels/kokkos/dot_tile.hpp"
#include "kernels/kokkos/neighbour_rows.hpp"
#include "kernels/kokkos/tile_rows.hpp"

namespace nanoatlas::kernels::kokkos {

/// Panels of tile_right rows, on shelves of tile_right panels. Each panel has the box around it and
/// a ball: its centre, a row of f32 values like any other, and a radius that no row of the panel is
/// beyond.
struct Panels {
    InterleavedRows values;         // [n, columns] by position
    InterleavedRows centre;         // [shelves * tile_right, columns]
    DeviceView<float> centre_base;  // [shelves, tile_right] |centre|^2 less its rounding; infinite
                                    // where no panel is
    DeviceView<float> radius;       // [shelves, tile_right]
    DeviceView<float> low, high;    // [shelves, columns, tile_right] the box around each panel
    DeviceView<float> norm2_at_most;  // [shelves, tile_right]

    DeviceView<float> shelf_low, shelf_high, shelf_mean;  // [columns, shelves]
    DeviceView<float> shelf_norm2_at_most;                // [shelves]

    std::size_t rows = 0;

    KOKKOS_FUNCTION std::size_t columns() const { return values.columns; }
    KOKKOS_FUNCTION std::size_t count() const { return (rows + tile_right - 1) / tile_right; }
    KOKKOS_FUNCTION std::size_t shelves() const { return shelf_norm2_at_most.extent(0); }
};

/// values: of `placed`, interleaved by tile_right
Panels make_panels(const PlacedRows& placed, const InterleavedRows& values,
                   const TileRounding& rounding);

}  // namespace nanoatlas::kernels::kokkos
