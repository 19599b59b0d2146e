#include "kernels/kokkos/neighbours.hpp"

#include <algorithm>
#include <utility>

#include "kernels/kokkos/pair_search.hpp"
#include "kernels/kokkos/panel_search.hpp"
#include "kernels/kokkos/rank_candidates.hpp"
#include "kernels/kokkos/searcher_lists.hpp"
#include "kernels/kokkos/tile_rows.hpp"

namespace nanoatlas::kernels::kokkos {

std::size_t enough_visitors() {
    return 2 * pair_block_rows * static_cast<std::size_t>(Execution().concurrency());
}

struct NeighbourSearch::State {
    SearchRoute route;
    Scaling scaling;
    TileRounding rounding;  // but of the route `pairs`
    Searchers own;
    std::span<const double> rows;
    std::vector<std::int32_t> order;
    std::span<std::int64_t> index;
    std::span<double> distance;
    InterleavedRows values = {};  // by tile_left, but of the route `pairs`
    DeviceView<float> rest = {};  // of the route `leading`
    ShortRows own_short = {};     // of the routes `leading` and `pairs`
    LayoutWidths widths;

    State(const Frame& frame, std::span<const double> rows_, const LayoutView& layout,
          std::int64_t first_row, std::span<std::int64_t> index_, std::span<double> distance_)
        : route(route_of(frame)),
          scaling(scaling_of(frame)),
          rounding(route == SearchRoute::leading ? rounding_of_leading_rows(Directions(frame))
                                                 : rounding_of_whole_rows(frame.centre.size())),
          own{.placed = place_rows(rows_, layout, first_row, frame.centre.size()),
              .k = layout.order.empty() ? 0 : static_cast<int>(index_.size() / layout.order.size()),
              .factor = scaling.factor,
              .index = room_on_device(index_),
              .squared = room_on_device(distance_),
              .found = DeviceView<int>("found", layout.order.size())},
          rows(rows_),
          order(layout.order.begin(), layout.order.end()),
          index(index_),
          distance(distance_),
          widths(layout_widths(frame)) {
        if (route == SearchRoute::panels) values = whole_rows(own.placed, scaling, tile_left);
        if (route == SearchRoute::leading) {
            const auto leading = leading_rows(own.placed, layout.leading, tile_left);
            values = leading.values;
            rest = leading.rest;
        }
        if (route != SearchRoute::panels) own_short = short_rows(own.placed, layout, widths);
    }

    bool are_own(std::span<const double> candidates,
                 std::span<const std::int32_t> their_order) const {
        return candidates.data() == rows.data() && candidates.size() == rows.size() &&
               std::ranges::equal(their_order, order);
    }

    // layout: of the candidates
    void search(const Candidates& candidates, const LayoutView& layout, const Done& done) const {
        switch (route) {
            case SearchRoute::panels:
                return search_whole(candidates, done);
            case SearchRoute::leading:
                return search_leading(candidates, layout, done);
            case SearchRoute::pairs:
                return search_all(candidates, layout, done);
        }
    }

    void search_whole(const Candidates& candidates, const Done& done) const {
        const auto panels = make_panels(candidates.placed,
                                        candidates.are_searchers
                                            ? interleaved_by(tile_right, values, own.placed.count())
                                            : whole_rows(candidates.placed, scaling, tile_right),
                                        rounding);
        search_panels(
            {own, values, candidates, panels, rounding, PairBounds(rounding, own, candidates)},
            done);
    }

    void search_leading(Candidates candidates, const LayoutView& layout, const Done& done) const {
        if (!candidates.are_searchers)
            candidates.left = CandidateLists(own.placed.count(), KeptCandidates::room_for(own.k));
        const auto theirs = leading_rows(candidates.placed, layout.leading, tile_right);
        PairBounds bounds(rounding, own, candidates);
        bounds.own_rest = rest;
        bounds.rest = theirs.rest;
        bounds.own_short = own_short;
        bounds.others_short =
            candidates.are_searchers ? own_short : short_rows(candidates.placed, layout, widths);
        bounds.closer_rounding = short_rounding(own_short, bounds.others_short);
        search_panels({own, values, candidates,
                       make_panels(candidates.placed, theirs.values, rounding), rounding, bounds},
                      done);
        if (!candidates.are_searchers) rank_candidates(own, candidates.placed, candidates.left);
    }

    void search_all(const Candidates& candidates, const LayoutView& layout,
                    const Done& done) const {
        if (candidates.are_searchers)
            search_pairs_among({own, candidates, own_short}, done);
        else
            search_pairs({own, candidates, own_short},
                         short_rows(candidates.placed, layout, widths), done);
    }

    void meet(std::size_t own_end, const PlacedRows& placed, const LayoutView& layout,
              std::size_t their_first, const ListsView& lists, const Done& done) const {
        const Searchers visitors{.placed = placed,
                                 .k = own.k,
                                 .factor = own.factor,
                                 .index = on_device_for_update(lists.index),
                                 .squared = on_device_for_update(lists.squared),
                                 .found = on_device_for_update(lists.found),
                                 .limit = on_device(lists.limit)};
        search_pairs_between(
            {own, strangers(own, placed), own_short}, own_end,
            {visitors, strangers(visitors, own.placed), short_rows(placed, layout, widths)},
            their_first, done);
        copy_back(visitors.index, lists.index);
        copy_back(visitors.squared, lists.squared);
        copy_back(visitors.found, lists.found);
    }
};

NeighbourSearch::NeighbourSearch(std::span<const double> rows, const LayoutView& layout,
                                 std::int64_t first_row, const Frame& frame,
                                 std::span<std::int64_t> index, std::span<double> distance)
    : state_(std::make_unique<State>(frame, rows, layout, first_row, index, distance)) {}

NeighbourSearch::~NeighbourSearch() = default;

void NeighbourSearch::add(std::span<const double> candidates, const LayoutView& layout,
                          std::int64_t first_row, const Done& done) {
    if (state_->rows.empty() || layout.order.empty()) return;
    if (!state_->are_own(candidates, layout.order)) {
        const auto placed = place_rows(candidates, layout, first_row, state_->own.placed.columns);
        return state_->search(candidates_for(state_->own, placed, layout.order), layout, done);
    }
    if (state_->route != SearchRoute::panels)
        state_->own.kept = KeptCandidates(layout.order.size(), state_->own.k);
    state_->search(searchers_as_candidates(state_->own), layout, done);
}

void NeighbourSearch::meet(std::size_t own_end, std::span<const double> visitors,
                           const LayoutView& layout, std::int64_t first_row,
                           std::size_t their_first, const ListsView& lists, const Done& done) {
    if (own_end == 0 || their_first == lists.rows()) return;
    state_->meet(own_end, place_rows(visitors, layout, first_row, state_->own.placed.columns),
                 layout, their_first, lists, done);
}

std::vector<float> NeighbourSearch::limits() const {
    std::vector<float> limits(state_->order.size());
    copy_back(limits_of(state_->own), std::span(limits));
    return limits;
}

void NeighbourSearch::merge(std::size_t first, const ListsView& lists) {
    merge_lists(state_->own, first, lists);
}

void NeighbourSearch::finish() {
    rank_kept(state_->own);
    const auto squared = state_->own.squared;
    for_each_row(
        "neighbours/root", squared.extent(0),
        KOKKOS_LAMBDA(std::size_t i) { squared(i) = Kokkos::sqrt(squared(i)); });
    Kokkos::fence();
    copy_back(state_->own.index, state_->index);
    copy_back(squared, state_->distance);
}

}  // namespace nanoatlas::kernels::kokkos
