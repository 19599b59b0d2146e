// Rows laid out for the search for neighbours: those that search, and blocks of those that are
// offered to them, in f32 tiles with the bounds of their rounding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/kokkos/dot_tile.hpp"
#include "kernels/kokkos/neighbours.hpp"
#include "kernels/kokkos/views.hpp"

namespace nanoatlas::kernels::kokkos {

/// Rounding of a tile, for a pair (x, y) of rows scaled so that no component exceeds 1 and
/// S = |x|^2 + |y|^2: the value computed in f32 is within relative * S + absolute of the squared
/// distance. Rounding the rows themselves moves it by 4u S, the product of `columns` terms in
/// whatever order by columns * u S (Higham, Accuracy and Stability, 3.5), norms, sums and
/// comparisons by a few u S more; u = 2^-24. Values below f32's normal range are the absolute part.
struct RoundingBound {
    float relative, absolute;
    explicit RoundingBound(std::size_t columns)
        : relative(1.01F * (static_cast<float>(columns) + 32) * 0x1p-24F),
          absolute(static_cast<float>(columns) * 0x1p-120F) {}
};

/// Rows centred, scaled by a power of two (so that scaling does not round), and rounded to f32, in
/// an order of their own: position p holds row order(p).
struct TileRows {
    InterleavedRows values;
    DeviceView<float> norm2;         // [n] by position
    DeviceView<std::int32_t> order;  // [n]
    std::size_t count() const { return norm2.extent(0); }
};

struct Scaling {
    DeviceView<double> centre;
    double factor;
};

Scaling scaling_of(const Frame& frame);

/// rows [n, columns], of which position p takes row order[p]; interleaved by width.
TileRows make_tile_rows(const SeenView<double>& rows, std::span<const std::int32_t> order,
                        const Scaling& scaling, int width);

/// The rows that are offered as neighbours: panels of tile_right rows that are cells in space, on
/// shelves of tile_right panels. Each panel has the box around it and a ball: its centre, a row of
/// f32 values like any other, and a radius that no row of the panel is beyond.
struct Block {
    SeenView<double> rows;  // [m, columns]
    std::int64_t first_row = 0;
    TileRows tiles;
    DeviceView<float> base;         // [panels, tile_right] |y|^2 less the rounding y brings
    DeviceView<std::int32_t> self;  // [n of the search] position of a searcher itself, or -1

    InterleavedRows centre;           // [shelves * tile_right, columns]
    DeviceView<float> centre_base;    // [shelves, tile_right] as base; infinite where no panel is
    DeviceView<float> radius;         // [shelves, tile_right]
    DeviceView<float> low, high;      // [shelves, columns, tile_right] the box around each panel
    DeviceView<float> norm2_at_most;  // [shelves, tile_right]

    DeviceView<float> shelf_low, shelf_high, shelf_mean;  // [columns, shelves]
    DeviceView<float> shelf_norm2_at_most;                // [shelves]

    KOKKOS_FUNCTION std::size_t shelves() const { return shelf_norm2_at_most.extent(0); }
};

/// The rows that look for neighbours, and what they have found.
struct Searchers {
    std::size_t columns;
    int k;
    std::int64_t first_row;
    double factor;
    RoundingBound rounding;
    SeenView<double> rows;         // [n, columns]
    TileRows tiles;                // the same in f32
    RoomView<std::int64_t> index;  // [n, k]
    RoomView<double> squared;      // [n, k]
    DeviceView<int> found;         // [n] entries of the lists so far

    KOKKOS_FUNCTION std::size_t list(std::size_t row) const {
        return row * static_cast<std::size_t>(k);
    }
};

/// The candidates `rows` [m, columns], the first of which is row first_row of all, for `own`; in
/// the given order, that of space_order() with leaves of tile_right.
Block make_block(const Searchers& own, const Scaling& scaling, std::span<const double> rows,
                 std::span<const std::int32_t> order, std::int64_t first_row);

}  // namespace nanoatlas::kernels::kokkos
