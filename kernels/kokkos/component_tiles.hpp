// Rows in tiles that are near in space and, as far as may be, of one group and component, with what
// bounds the distance of two tiles from below: boxes, and planes between groups.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/kokkos/dot_tile.hpp"
#include "kernels/kokkos/neighbour_rows.hpp"
#include "kernels/kokkos/views.hpp"

namespace nanoatlas::kernels::kokkos {

/// The middles of the first groups, more or less: the plane between two of them keeps the groups
/// apart. Any points are correct, only the time depends on them.
struct Centres {
    DeviceView<float> mean;              // [count, columns] in the frame of the tiles
    DeviceView<float> inverse_distance;  // [count, count] rounded down; 0 on the diagonal
    std::size_t count = 0;
    float largest_norm2 = 0;
};

/// mean [count, columns], in the frame of rows
Centres make_centres(std::span<const double> mean, const Scaling& scaling);

/// What is known of all rows, by their number.
struct ReachableRows {
    SeenView<double> core;
    SeenView<std::int32_t> component, group;
};

struct ComponentTiles {
    SeenView<double> rows;  // [n, columns], numbered from first_row on
    std::int64_t first_row = 0;
    InterleavedRows values;              // by position
    DeviceView<std::int32_t> row;        // by position: its place in `rows`, or -1 to fill up
    DeviceView<float> norm2;             // by position
    DeviceView<std::int32_t> component;  // by tile: that of all its rows, or -1
    DeviceView<std::int32_t> centre;     // by tile: that of the group of all its rows, or -1
    DeviceView<float> low, high;         // [tiles, columns]
    DeviceView<float> largest_norm2;     // by tile
    DeviceView<double> least_core;       // by tile
    DeviceView<float> plane;  // [tiles, centres] the least of x.own - x.centre, less rounding

    KOKKOS_FUNCTION std::size_t count() const { return component.extent(0); }
    KOKKOS_FUNCTION std::size_t width() const { return static_cast<std::size_t>(values.width); }
};

/// order: the rows that take part, near in space where near in it
/// group: of each of `rows`, below `groups`
ComponentTiles make_component_tiles(const SeenView<double>& rows, std::int64_t first_row,
                                    std::span<const std::int32_t> order,
                                    std::span<const std::int32_t> group, std::size_t groups,
                                    const ReachableRows& all, const Scaling& scaling,
                                    const Centres& centres, int width);

}  // namespace nanoatlas::kernels::kokkos
