// How far the squared distance of a pair can be above the lower bound that a tile has given.
#pragma once

#include <cstddef>

#include "kernels/kokkos/neighbour_rows.hpp"
#include "kernels/kokkos/short_rows.hpp"

namespace nanoatlas::kernels::kokkos {

/// Of searchers and candidates by their positions.
struct PairBounds {
    RoundingBound rounding;  // of the tiles
    DeviceView<float> own_norm2, norm2;
    // Where tiles hold but the leading part of a row: the norm of what they leave out.
    DeviceView<float> own_rest = {}, rest = {};
    // Whole rows, to look at a pair more closely.
    ShortRows own_short = {}, others_short = {};
    RoundingBound closer_rounding{0, 0};

    PairBounds(const RoundingBound& rounding_, const Searchers& searchers,
               const Candidates& candidates)
        : rounding(rounding_), own_norm2(searchers.placed.norm2), norm2(candidates.placed.norm2) {}

    KOKKOS_FUNCTION bool can_look_closer() const { return rest.extent(0) > 0; }

    /// Upper less lower bound; closer: that closer() has given.
    KOKKOS_FUNCTION float width(std::size_t own, std::size_t other, bool is_closer) const {
        const float sum = own_norm2(own) + norm2(other);
        if (is_closer) return closer_rounding.width(sum);
        const float left_out = can_look_closer() ? 4 * own_rest(own) * rest(other) : 0;
        return rounding.width(sum) + left_out;
    }

    /// A lower bound by the whole rows.
    KOKKOS_FUNCTION float closer(std::size_t own, std::size_t other) const {
        const auto product =
            short_product(own_short.row(own), others_short.row(other), 2 * own_short.pairs);
        return closer_rounding.lower(
            own_norm2(own) + norm2(other),
            own_short.step(own) * (others_short.step(other) * static_cast<float>(product)));
    }
};

}  // namespace nanoatlas::kernels::kokkos
