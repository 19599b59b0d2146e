// What a searcher knows of its neighbours so far: its list, and what is kept for the end.
#pragma once

#include <Kokkos_Core.hpp>
#include <cfloat>
#include <cstddef>
#include <cstdint>

#include "kernels/kokkos/neighbour_rows.hpp"
#include "kernels/kokkos/selection.hpp"

namespace nanoatlas::kernels::kokkos {

class KnownNeighbours {
  public:
    KOKKOS_INLINE_FUNCTION KnownNeighbours(const Searchers& searchers, std::size_t position)
        : own_(searchers), position_(position), row_(searchers.placed.row(position)) {}

    /// Listed or kept.
    KOKKOS_INLINE_FUNCTION int count() const { return own_.found(row_) + kept(); }

    /// The most that a searcher can know of.
    KOKKOS_INLINE_FUNCTION static int most(int k) { return KeptCandidates::room_for(k) + k; }

    /// Appends float_rank()s of upper bounds of the squared distances to upper [count]; returns how
    /// many there are then.
    KOKKOS_INLINE_FUNCTION int add_upper_bounds(std::int32_t* upper, int count) const {
        for (int i = 0; i < kept(); ++i) upper[count++] = float_rank(own_.kept.upper(kept_at(i)));
        const double* squared = &own_.squared(own_.list(row_));
        for (int i = 0; i < own_.found(row_); ++i)
            upper[count++] = float_rank(rounded_up(squared[i]));
        return count;
    }

    /// No neighbour has a lower bound above it. upper [most(k)]: room to work in
    KOKKOS_INLINE_FUNCTION float limit(std::int32_t* upper) const {
        const float elsewhere = own_.limit.extent(0) > 0 ? own_.limit(row_) : FLT_MAX;
        if (count() < own_.k) return elsewhere;
        const float here = kept() == 0 ? rounded_up(own_.squared(own_.list(row_ + 1) - 1))
                                       : limit_of_first(upper, add_upper_bounds(upper, 0), own_.k);
        return Kokkos::min(here, elsewhere);
    }

    /// Brings rows with their f64 distances into the list.
    /// fresh [count], in any order; room [k + the larger of k and count] to work in
    KOKKOS_INLINE_FUNCTION void list(Ranked* fresh, int count, Ranked* room) const {
        const int found = own_.found(row_), enough = Kokkos::min(own_.k, found + count);
        Ranked *listed = room, *spare = room + own_.k;
        double* squared = &own_.squared(own_.list(row_));
        std::int64_t* index = &own_.index(own_.list(row_));
        for (int i = 0; i < found; ++i) listed[i] = {squared[i], index[i]};
        merge_sort(fresh, count, spare);
        merge_first(listed, found, fresh, count, enough, spare);
        for (int i = 0; i < enough; ++i) {
            squared[i] = spare[i].value;
            index[i] = spare[i].index;
        }
        own_.found(row_) = enough;
    }

  private:
    KOKKOS_INLINE_FUNCTION int kept() const { return own_.kept.count_of(position_); }
    KOKKOS_INLINE_FUNCTION std::size_t kept_at(int i) const {
        return own_.kept.at(position_) + static_cast<std::size_t>(i);
    }

    // A squared distance in the scale of the bounds, or a little above.
    KOKKOS_INLINE_FUNCTION float rounded_up(double squared) const {
        const double scaled = squared * own_.factor * own_.factor;
        return static_cast<float>(Kokkos::min(scaled * (1 + 0x1p-22) + 0x1p-120, double{FLT_MAX}));
    }

    const Searchers& own_;
    std::size_t position_, row_;
};

}  // namespace nanoatlas::kernels::kokkos
