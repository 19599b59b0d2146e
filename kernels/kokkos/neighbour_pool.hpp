// Candidates of a searcher, from the bounds of their distances to the list in f64.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstddef>
#include <cstdint>

#include "kernels/kokkos/dot_tile.hpp"
#include "kernels/kokkos/known_neighbours.hpp"
#include "kernels/kokkos/measure_rows.hpp"
#include "kernels/kokkos/neighbour_rows.hpp"
#include "kernels/kokkos/pair_bounds.hpp"
#include "kernels/kokkos/passing.hpp"
#include "kernels/kokkos/selection.hpp"

namespace nanoatlas::kernels::kokkos {

/// Room for the pools of consecutive searchers, and to work on one of them at a time.
struct PoolRoom {
    float* bound;             // [searchers, capacity] lower bounds of squared distances
    std::int32_t* candidate;  // [searchers, capacity] positions among the candidates
    float* limit;             // [searchers] candidates whose bound is above it are out
    int* count;               // [searchers]
    std::int32_t* upper;      // [upper_size(k)] float_rank()s of upper bounds
    Ranked* ranked;           // [ranked_size(k)]

    KOKKOS_INLINE_FUNCTION static int capacity(int k) { return 2 * k + 4 * tile_right; }
    // Of a pool and all that is known.
    KOKKOS_INLINE_FUNCTION static std::size_t upper_size(int k) {
        return static_cast<std::size_t>(capacity(k) + KnownNeighbours::most(k));
    }
    // A pool, a list, and room to sort or merge them.
    KOKKOS_INLINE_FUNCTION static std::size_t ranked_size(int k) {
        return static_cast<std::size_t>(2 * capacity(k) + k);
    }
};

/// The pools of searchers [first, ...) by position.
class NeighbourPool {
  public:
    KOKKOS_INLINE_FUNCTION NeighbourPool(const Searchers& searchers, const Candidates& candidates,
                                         const PairBounds& bounds, const PoolRoom& room,
                                         std::size_t first)
        : own_(searchers),
          others_(candidates),
          bounds_(bounds),
          room_(room),
          first_(first),
          capacity_(PoolRoom::capacity(searchers.k)) {}

    KOKKOS_INLINE_FUNCTION void start(std::size_t g) const {
        room_.count[g] = 0;
        room_.limit[g] = known(g).limit(room_.upper);
    }

    /// Nothing at a squared distance above it can be a neighbour of searcher first + g.
    KOKKOS_INLINE_FUNCTION float limit(std::size_t g) const { return room_.limit[g]; }

    /// Takes candidates [first, first + tile_right), of which lower bounds are given.
    KOKKOS_FORCEINLINE_FUNCTION void offer(std::size_t g, const float* bounds,
                                           std::size_t first) const {
        const std::uint32_t within = passing(bounds, room_.limit[g]);
        if (within != 0) take(g, bounds, first, within);
    }

    /// The other way round: takes a candidate, not the searcher itself, for each of the searchers
    /// first_searcher + [0, tile_right) of which lower bounds are given.
    KOKKOS_FORCEINLINE_FUNCTION void offer_to_each(std::size_t first_searcher, const float* bounds,
                                                   std::size_t candidate) const {
        std::uint32_t within = passing_each(bounds, room_.limit + first_searcher);
        for (; within != 0; within &= within - 1) {
            const int j = Kokkos::Experimental::countr_zero_builtin(within);
            take_one(first_searcher + static_cast<std::size_t>(j), bounds[j], candidate);
        }
    }

    /// Puts what may be neighbours where it is ranked later, if there is such a place and room.
    KOKKOS_INLINE_FUNCTION void hand_over(std::size_t g) const {
        sift(g, own_.k + own_.k / 8);
        if (room_.count[g] == 0) return;
        if (others_.are_searchers && room_.count[g] <= own_.kept.room)
            keep(g);
        else if (room_.count[g] <= others_.left.room)
            leave(g);
    }

    /// And what is left over into the list.
    KOKKOS_INLINE_FUNCTION void finish(std::size_t g) const {
        hand_over(g);
        if (room_.count[g] > 0) rank(g);
    }

  private:
    KOKKOS_INLINE_FUNCTION std::size_t pool(std::size_t g) const {
        return g * static_cast<std::size_t>(capacity_);
    }

    // Those within the limit, by their bits. Most often there are none or few.
    KOKKOS_INLINE_FUNCTION void take(std::size_t g, const float* bounds, std::size_t first,
                                     std::uint32_t within) const {
        if (room_.count[g] + tile_right > capacity_) make_room(g);
        const std::size_t start = pool(g) + static_cast<std::size_t>(room_.count[g]);
        float* bound = room_.bound + start;
        std::int32_t* candidate = room_.candidate + start;
        const int self = others_.self(first_ + g) - static_cast<int>(first);
        if (self >= 0 && self < tile_right) within &= ~(std::uint32_t{1} << self);
        int kept = 0;
        for (; within != 0; within &= within - 1, ++kept) {
            const int j = Kokkos::Experimental::countr_zero_builtin(within);
            bound[kept] = bounds[j];
            candidate[kept] = static_cast<std::int32_t>(first) + j;
        }
        room_.count[g] += kept;
    }

    KOKKOS_INLINE_FUNCTION void take_one(std::size_t g, float bound, std::size_t candidate) const {
        if (room_.count[g] + tile_right > capacity_) make_room(g);
        const std::size_t to = pool(g) + static_cast<std::size_t>(room_.count[g]++);
        room_.bound[to] = bound;
        room_.candidate[to] = static_cast<std::int32_t>(candidate);
    }

    // Seldom needed: inlined, it would take the registers of the loops around it.
    [[gnu::noinline]] KOKKOS_FUNCTION void make_room(std::size_t g) const {
        sift(g, own_.k + own_.k / 2);
        if (room_.count[g] + tile_right > capacity_) rank(g);
    }

    // Drops candidates, after a closer look at them if more than `enough` are left.
    KOKKOS_INLINE_FUNCTION void sift(std::size_t g, int enough) const {
        drop_hopeless(g);
        if (room_.count[g] <= enough || !bounds_.can_look_closer()) return;
        look_closer(g);
        drop_hopeless(g);
    }

    // For the end of the search, with their bounds.
    KOKKOS_INLINE_FUNCTION void keep(std::size_t g) const {
        const auto& kept = own_.kept;
        const float* bound = room_.bound + pool(g);
        const std::int32_t* candidate = room_.candidate + pool(g);
        for (int i = 0; i < room_.count[g]; ++i) {
            const auto to = kept.at(first_ + g) + static_cast<std::size_t>(i);
            kept.lower(to) = bound[i];
            kept.upper(to) = upper_bound(g, bound[i], candidate[i]);
            kept.candidate(to) = static_cast<std::int32_t>(at(candidate[i]));
        }
        kept.count(first_ + g) = room_.count[g];
        room_.count[g] = 0;
    }

    // For the end of the block.
    KOKKOS_INLINE_FUNCTION void leave(std::size_t g) const {
        const std::int32_t* candidate = room_.candidate + pool(g);
        std::int32_t* to = others_.left.of(first_ + g);
        for (int i = 0; i < room_.count[g]; ++i)
            to[i] = static_cast<std::int32_t>(at(candidate[i]));
        others_.left.count(first_ + g) = room_.count[g];
        room_.count[g] = 0;
    }

    KOKKOS_INLINE_FUNCTION void look_closer(std::size_t g) const {
        float* bound = room_.bound + pool(g);
        std::int32_t* candidate = room_.candidate + pool(g);
        for (int i = 0; i < room_.count[g]; ++i) {
            if (candidate[i] < 0) continue;
            bound[i] = Kokkos::max(bound[i], bounds_.closer(first_ + g, at(candidate[i])));
            candidate[i] = ~candidate[i];
        }
    }

    // Candidates that were looked at more closely are marked by their complement.
    KOKKOS_INLINE_FUNCTION static std::size_t at(std::int32_t candidate) {
        return static_cast<std::size_t>(candidate < 0 ? ~candidate : candidate);
    }

    KOKKOS_INLINE_FUNCTION float upper_bound(std::size_t g, float bound,
                                             std::int32_t candidate) const {
        return bound + bounds_.width(first_ + g, at(candidate), candidate < 0);
    }

    // float_rank()s of the pool's, in room_.upper.
    KOKKOS_INLINE_FUNCTION void rank_upper_bounds(std::size_t g) const {
        const float* bound = room_.bound + pool(g);
        const std::int32_t* candidate = room_.candidate + pool(g);
        const int count = room_.count[g];
        if (bounds_.can_look_closer()) {
            for (int i = 0; i < count; ++i)
                room_.upper[i] = float_rank(upper_bound(g, bound[i], candidate[i]));
            return;
        }
        const float own = bounds_.own_norm2(first_ + g);
        const float* norm2 = bounds_.norm2.data();
#pragma omp simd
        for (int i = 0; i < count; ++i)
            room_.upper[i] =
                float_rank(bound[i] + bounds_.rounding.width(own + norm2[candidate[i]]));
    }

    // Keeps the candidates whose lower bound does not exceed the k-th smallest upper bound.
    KOKKOS_INLINE_FUNCTION void drop_hopeless(std::size_t g) const {
        const int count = room_.count[g];
        if (count + known(g).count() < own_.k) return;
        float* bound = room_.bound + pool(g);
        std::int32_t* candidate = room_.candidate + pool(g);
        rank_upper_bounds(g);
        const int bounds = known(g).add_upper_bounds(room_.upper, count);
        const float limit =
            Kokkos::min(room_.limit[g], limit_of_first(room_.upper, bounds, own_.k));
        int kept = 0;
        for (int i = 0; i < count; ++i) {  // without a branch that nobody could foresee
            bound[kept] = bound[i];
            candidate[kept] = candidate[i];
            kept += static_cast<int>(bound[i] <= limit);
        }
        room_.limit[g] = limit;
        room_.count[g] = kept;
    }

    KOKKOS_INLINE_FUNCTION KnownNeighbours known(std::size_t g) const {
        return {own_, first_ + g};
    }

    // Moves the pool into the list, by f64 distances.
    KOKKOS_INLINE_FUNCTION void rank(std::size_t g) const {
        std::int32_t* candidate = room_.candidate + pool(g);
        for (int i = 0; i < room_.count[g]; ++i)
            candidate[i] = static_cast<std::int32_t>(at(candidate[i]));
        measure_rows(own_.placed, first_ + g, others_.placed, candidate, room_.count[g],
                     room_.ranked);
        known(g).list(room_.ranked, room_.count[g], room_.ranked + capacity_);
        room_.count[g] = 0;
        room_.limit[g] = Kokkos::min(room_.limit[g], known(g).limit(room_.upper));
    }

    const Searchers& own_;
    const Candidates& others_;
    const PairBounds& bounds_;
    PoolRoom room_;
    std::size_t first_;
    int capacity_;
};

}  // namespace nanoatlas::kernels::kokkos
