// Rows as the search for neighbours sees them: those that search, and blocks of those that are
// offered to them; and what is known of the rounding of their products.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/kokkos/row_layout.hpp"
#include "kernels/kokkos/views.hpp"

namespace nanoatlas::kernels::kokkos {

/// Bounds of the squared distance of a pair (x, y) by a product that is not exact, for rows scaled
/// so that no component exceeds 1 and S = |x|^2 + |y|^2: S - 2 product is within
/// relative * S + absolute of it.
///
/// Of a product in f32: rounding the rows themselves moves it by 4u S, the product of `columns`
/// terms in whatever order by columns * u S (Higham, Accuracy and Stability, 3.5), norms, sums and
/// comparisons by a few u S more; u = 2^-24. Values below f32's normal range are the absolute part.
struct RoundingBound {
    float relative, absolute;
    explicit RoundingBound(std::size_t columns)
        : relative(1.01F * (static_cast<float>(columns) + 32) * 0x1p-24F),
          absolute(static_cast<float>(columns) * 0x1p-120F) {}
    RoundingBound(float relative_, float absolute_) : relative(relative_), absolute(absolute_) {}

    KOKKOS_FUNCTION float lower(float sum, float product) const {
        return (1 - relative) * sum - absolute - 2 * product;
    }
    /// Upper less lower bound.
    KOKKOS_FUNCTION float width(float sum) const { return 2 * (relative * sum + absolute); }
};

/// A translation, and a scale that is a power of two, so that scaling does not round.
struct Scaling {
    DeviceView<double> centre;
    double factor;

    KOKKOS_FUNCTION double operator()(double value, std::size_t column) const {
        return (value - centre(column)) * factor;
    }
};

Scaling scaling_of(const Frame& frame);

/// Squared norms of scaled rows.
std::vector<float> squared_norms(std::span<const double> rows, const Scaling& scaling);

/// Rows in an order of their own: position p holds row order(p).
struct PlacedRows {
    SeenView<double> rows;  // [n, columns], or none, where `exact` has them
    SeenView<float> exact;  // [n, columns] or none
    std::size_t columns = 0;
    std::int64_t first_row = 0;      // number of the first of them
    DeviceView<std::int32_t> order;  // [n]
    DeviceView<float> norm2;  // by position, scaled; infinite up to the end of the last panel

    KOKKOS_FUNCTION std::size_t count() const { return order.extent(0); }
    KOKKOS_FUNCTION std::size_t row(std::size_t position) const {
        return static_cast<std::size_t>(order(position));
    }
    KOKKOS_FUNCTION const double* values(std::size_t position) const {
        return rows.data() + row(position) * columns;
    }
    KOKKOS_FUNCTION const float* exact_values(std::size_t position) const {
        return exact.data() + row(position) * columns;
    }
};

/// rows: or none, where the layout has them in f32
PlacedRows place_rows(std::span<const double> rows, const LayoutView& layout,
                      std::int64_t first_row, std::size_t columns);

/// Positions of candidates that may be neighbours of a searcher, to be measured by and by.
struct CandidateLists {
    int room = 0;                        // of each; 0: there are none
    DeviceView<std::int32_t> candidate;  // [n, room]
    DeviceView<int> count;               // [n]

    CandidateLists() = default;
    CandidateLists(int room_, const DeviceView<std::int32_t>& candidate_,
                   const DeviceView<int>& count_)
        : room(room_), candidate(candidate_), count(count_) {}
    CandidateLists(std::size_t n, int room_)
        : room(room_), candidate("left", n * static_cast<std::size_t>(room_)), count("count", n) {}

    KOKKOS_FUNCTION std::int32_t* of(std::size_t searcher) const {
        return candidate.data() + searcher * static_cast<std::size_t>(room);
    }
};

/// Candidates among the searchers themselves, whose rows stay at hand: they are measured last, when
/// the blocks that came by later have put most of them out. By position of the searcher.
struct KeptCandidates : CandidateLists {
    DeviceView<float> lower, upper;  // [n, room] bounds of squared distances

    KeptCandidates() = default;
    KeptCandidates(std::size_t n, int k);

    /// More than are left as a rule, and few beside rows that are wide.
    KOKKOS_INLINE_FUNCTION static int room_for(int k) { return k + k / 4 + 8; }
    KOKKOS_FUNCTION std::size_t at(std::size_t searcher) const {
        return searcher * static_cast<std::size_t>(room);
    }
    KOKKOS_FUNCTION int count_of(std::size_t searcher) const {
        return room == 0 ? 0 : count(searcher);
    }
};

/// The rows that look for neighbours, and what they have found.
struct Searchers {
    PlacedRows placed;
    int k;
    double factor;
    RoomView<std::int64_t> index;  // [n, k]
    RoomView<double> squared;      // [n, k]
    DeviceView<int> found;         // [n] entries of the lists so far
    KeptCandidates kept = {};
    SeenView<float> limit = {};  // [n] as known elsewhere: none beyond it can be a neighbour

    KOKKOS_FUNCTION std::size_t list(std::size_t row) const {
        return row * static_cast<std::size_t>(k);
    }
};

/// The rows that are offered to them.
struct Candidates {
    PlacedRows placed;
    DeviceView<std::int32_t> self;  // [n of the search] position of a searcher itself, or -1
    bool are_searchers = false;     // these themselves, in the same order
    CandidateLists left = {};       // of each searcher, where they are not ranked at once
};

Candidates candidates_for(const Searchers& searchers, const PlacedRows& placed,
                          std::span<const std::int32_t> order);
/// None of the searchers is among them.
Candidates strangers(const Searchers& searchers, const PlacedRows& placed);
Candidates searchers_as_candidates(const Searchers& searchers);

}  // namespace nanoatlas::kernels::kokkos
