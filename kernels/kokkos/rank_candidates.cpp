#include "kernels/kokkos/rank_candidates.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "kernels/kokkos/known_neighbours.hpp"
#include "kernels/kokkos/measure_rows.hpp"

namespace nanoatlas::kernels::kokkos {
namespace {

// What a last cache holds even if others share it, and what memory lists at once may take.
constexpr std::size_t window_bytes = std::size_t{8} << 20, list_bytes = std::size_t{24} << 20;
// A searcher's own row comes from memory for each window: not worth it for fewer.
constexpr int candidates_a_window = 8;

/// Rows that lie together, so many to a window.
struct Windows {
    std::size_t rows, count;

    Windows(const PlacedRows& placed, int candidates) {
        const bool exact = placed.exact.extent(0) > 0;
        const std::size_t values = exact ? placed.exact.extent(0) : placed.rows.extent(0);
        const std::size_t bytes = values * (exact ? sizeof(float) : sizeof(double));
        const auto most = static_cast<std::size_t>(std::max(1, candidates / candidates_a_window));
        count = std::clamp((bytes + window_bytes - 1) / window_bytes, std::size_t{1}, most);
        const std::size_t all = values / placed.columns;
        rows = (all + count - 1) / count;
    }
};

// Positions. Rows that are read in turn are fetched ahead.
DeviceView<std::int32_t> in_order_of_rows(const PlacedRows& placed) {
    std::vector<std::int32_t> row(placed.count()), position(placed.count());
    copy_back(placed.order, std::span(row));
    std::iota(position.begin(), position.end(), 0);
    std::ranges::sort(position, {},
                      [&](std::int32_t p) { return row[static_cast<std::size_t>(p)]; });
    DeviceView<std::int32_t> made("in_turn", position.size());
    Kokkos::deep_copy(made, HostView<const std::int32_t>(position.data(), position.size()));
    return made;
}

/// Of some of the searchers.
struct WindowedLists {
    Searchers searchers;
    PlacedRows placed;
    CandidateLists lists;
    Windows windows;
    std::size_t most, at_once;
    DeviceView<std::int32_t> in_turn;   // [searchers] positions
    DeviceView<std::int32_t> position;  // [at_once, most] window after window
    DeviceView<int> end;                // [at_once, windows]
    DeviceView<Ranked> measured;        // [at_once, most, and room to merge]

    WindowedLists(const Searchers& searchers_, const PlacedRows& placed_,
                  const CandidateLists& lists_, int most_)
        : searchers(searchers_),
          placed(placed_),
          lists(lists_),
          windows(placed_, most_),
          most(static_cast<std::size_t>(most_)),
          at_once(std::min(searchers_.placed.count(),
                           list_bytes / (measured_width() * sizeof(Ranked)) + 1)),
          in_turn(in_order_of_rows(searchers_.placed)),
          position("position", at_once * most),
          end("end", at_once * windows.count),
          measured("measured", at_once * measured_width()) {}

    std::size_t searchers_of(std::size_t first) const {
        return std::min(at_once, searchers.placed.count() - first);
    }

    KOKKOS_FUNCTION std::size_t searcher(std::size_t turn) const {
        return static_cast<std::size_t>(in_turn(turn));
    }

    // Of searcher p, number g of those at once.
    KOKKOS_FUNCTION void sort_by_window(std::size_t p, std::size_t g) const {
        const std::int32_t* candidate = lists.of(p);
        const int count = lists.count(p);
        int* to = &end(g * windows.count);
        for (std::size_t w = 0; w < windows.count; ++w) to[w] = 0;
        for (int i = 0; i < count; ++i) ++to[window(candidate[i])];
        int begin = 0;
        for (std::size_t w = 0; w < windows.count; ++w) {
            const int here = to[w];
            to[w] = begin;
            begin += here;
        }
        std::int32_t* sorted = &position(g * most);
        for (int i = 0; i < count; ++i) sorted[to[window(candidate[i])]++] = candidate[i];
    }

    KOKKOS_FUNCTION void measure(std::size_t p, std::size_t g, std::size_t w) const {
        const int* ends = &end(g * windows.count);
        const int begin = w == 0 ? 0 : ends[w - 1];
        measure_rows(searchers.placed, p, placed, &position(g * most) + begin, ends[w] - begin,
                     measured_of(g) + begin);
    }

    KOKKOS_FUNCTION void list(std::size_t p, std::size_t g) const {
        Ranked* fresh = measured_of(g);
        KnownNeighbours(searchers, p).list(fresh, lists.count(p), fresh + most);
        lists.count(p) = 0;
    }

  private:
    // Those measured, and room to bring them into a list.
    KOKKOS_FUNCTION std::size_t measured_width() const {
        const auto k = static_cast<std::size_t>(searchers.k);
        return most + k + Kokkos::max(k, most);
    }
    KOKKOS_FUNCTION Ranked* measured_of(std::size_t g) const {
        return &measured(g * measured_width());
    }
    KOKKOS_FUNCTION std::size_t window(std::int32_t candidate) const {
        return placed.row(static_cast<std::size_t>(candidate)) / windows.rows;
    }
};

int most_candidates(const CandidateLists& lists, std::size_t n) {
    int most = 0;
    Kokkos::parallel_reduce(
        "neighbours/most", Kokkos::RangePolicy<Execution>(0, n),
        KOKKOS_LAMBDA(std::size_t p, int& here) { here = Kokkos::max(here, lists.count(p)); },
        Kokkos::Max<int>(most));
    return most;
}

template <class Work>
void for_each_of(const char* name, std::size_t count, const Work& work) {
    using Shared = Kokkos::RangePolicy<Execution, Kokkos::Schedule<Kokkos::Dynamic>>;
    Kokkos::parallel_for(name, Shared(0, count), work);
}

}  // namespace

// All searchers of a group go through one window before the next, whose rows then come from the
// last cache and not from memory: twice as fast.
void rank_candidates(const Searchers& searchers, const PlacedRows& placed,
                     const CandidateLists& lists) {
    const std::size_t n = searchers.placed.count();
    const int most = n == 0 ? 0 : most_candidates(lists, n);
    if (most <= 0) return;
    const WindowedLists some(searchers, placed, lists, most);
    for (std::size_t first = 0; first < n; first += some.at_once) {
        const std::size_t count = some.searchers_of(first);
        for_each_of(
            "neighbours/windows", count,
            KOKKOS_LAMBDA(std::size_t g) { some.sort_by_window(some.searcher(first + g), g); });
        for (std::size_t w = 0; w < some.windows.count; ++w)
            for_each_of(
                "neighbours/measure", count,
                KOKKOS_LAMBDA(std::size_t g) { some.measure(some.searcher(first + g), g, w); });
        for_each_of(
            "neighbours/list", count,
            KOKKOS_LAMBDA(std::size_t g) { some.list(some.searcher(first + g), g); });
    }
    Kokkos::fence();
}

}  // namespace nanoatlas::kernels::kokkos
