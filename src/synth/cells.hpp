// Voronoi cells of scattered points: grains, cracks, walls of foam.
#pragma once

#include "base/random.hpp"
#include "synth/grid.hpp"

namespace nanoatlas::synth {

struct Cells {
    Grid centre;  ///< distance to the nearest point, in units of the spacing
    Grid wall;    ///< distance to the second nearest less that to the nearest: 0 on a wall
    Grid number;  ///< a number in [0, 1) that belongs to the cell
};

/// One point in each square of a lattice, off its middle by up to `disorder` / 2 of the spacing.
/// spacing [px]; stretch: spacing along x over the one along y
Cells scatter_cells(base::Random& random, int size, float spacing, float disorder = 0.9F,
                    float stretch = 1);

}  // namespace nanoatlas::synth
