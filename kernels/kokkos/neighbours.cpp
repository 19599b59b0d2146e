#include "kernels/kokkos/neighbours.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "kernels/kokkos/pair_search.hpp"
#include "kernels/kokkos/panel_search.hpp"
#include "kernels/kokkos/searcher_lists.hpp"
#include "kernels/kokkos/tile_rows.hpp"

namespace nanoatlas::kernels::kokkos {
namespace {

// More of them move hardly a row to another panel.
constexpr std::size_t directions_for_order = 16;

}  // namespace

SearchRoute route_of(const Frame& frame) {
    if (!frame.directions.empty()) return SearchRoute::leading;
    return frame.centre.size() < wide_columns ? SearchRoute::panels : SearchRoute::pairs;
}

std::vector<std::int32_t> layout_order(std::span<const double> rows, std::size_t columns,
                                       const Share& share) {
    return space_order(rows, columns, tile_right, share);
}

Layout lay_out(std::span<const double> rows, const Frame& frame, const Share& share) {
    const std::size_t columns = frame.centre.size(), n = rows.size() / columns;
    switch (route_of(frame)) {
        case SearchRoute::panels:
            return {layout_order(rows, columns, share)};
        case SearchRoute::leading: {
            const Directions directions(frame);
            auto leading = leading_parts(rows, scaling_of(frame), directions);
            const std::size_t few = std::min(directions.count, directions_for_order);
            std::vector<double> first(n * few);
            for (std::size_t i = 0; i < n; ++i)
                std::copy_n(&leading[i * leading_columns(frame)], few, &first[i * few]);
            return {layout_order(first, few, share), std::move(leading)};
        }
        case SearchRoute::pairs:
            break;
    }
    Layout layout{std::vector<std::int32_t>(share.end(n) - share.begin(n))};
    std::iota(layout.order.begin(), layout.order.end(), static_cast<std::int32_t>(share.begin(n)));
    return layout;
}

std::size_t leading_columns(const Frame& frame) {
    return frame.directions.empty() ? 0 : frame.directions.size() / frame.centre.size() + 1;
}

std::size_t enough_visitors() {
    return 2 * pair_block_rows * static_cast<std::size_t>(Execution().concurrency());
}

ListsView ListsView::from(std::size_t row) const {
    const std::size_t skipped = found.empty() ? 0 : row * (index.size() / found.size());
    return {index.subspan(skipped), squared.subspan(skipped), found.subspan(row),
            limit.subspan(row)};
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

    State(const Frame& frame, std::span<const double> rows_, const LayoutView& layout,
          std::int64_t first_row, std::span<std::int64_t> index_, std::span<double> distance_)
        : route(route_of(frame)),
          scaling(scaling_of(frame)),
          rounding(route == SearchRoute::leading ? rounding_of_leading_rows(Directions(frame))
                                                 : rounding_of_whole_rows(frame.centre.size())),
          own{.placed = place_rows(rows_, layout.order, first_row, scaling),
              .k = layout.order.empty() ? 0 : static_cast<int>(index_.size() / layout.order.size()),
              .factor = scaling.factor,
              .index = room_on_device(index_),
              .squared = room_on_device(distance_),
              .found = DeviceView<int>("found", layout.order.size())},
          rows(rows_),
          order(layout.order.begin(), layout.order.end()),
          index(index_),
          distance(distance_) {
        if (route == SearchRoute::panels) values = whole_rows(own.placed, scaling, tile_left);
        if (route == SearchRoute::leading) {
            const auto leading = leading_rows(own.placed, layout.leading, tile_left);
            values = leading.values;
            rest = leading.rest;
            own_short = make_short_rows(own.placed, scaling, 1);
        }
        if (route == SearchRoute::pairs)
            own_short = make_short_rows(own.placed, scaling, short_strip);
    }

    using Done = std::function<void(std::size_t rows)>;

    bool are_own(std::span<const double> candidates,
                 std::span<const std::int32_t> their_order) const {
        return candidates.data() == rows.data() && candidates.size() == rows.size() &&
               std::ranges::equal(their_order, order);
    }

    // leading: of the candidates, as in a layout
    void search(const Candidates& candidates, std::span<const float> leading,
                const Done& done) const {
        switch (route) {
            case SearchRoute::panels:
                return search_whole(candidates, done);
            case SearchRoute::leading:
                return search_leading(candidates, leading, done);
            case SearchRoute::pairs:
                return search_all(candidates, done);
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

    void search_leading(const Candidates& candidates, std::span<const float> leading,
                        const Done& done) const {
        const auto theirs = leading_rows(candidates.placed, leading, tile_right);
        PairBounds bounds(rounding, own, candidates);
        bounds.own_rest = rest;
        bounds.rest = theirs.rest;
        bounds.own_short = own_short;
        bounds.others_short =
            candidates.are_searchers ? own_short : make_short_rows(candidates.placed, scaling, 1);
        bounds.closer_rounding = short_rounding(own_short, bounds.others_short);
        search_panels({own, values, candidates,
                       make_panels(candidates.placed, theirs.values, rounding), rounding, bounds},
                      done);
    }

    void search_all(const Candidates& candidates, const Done& done) const {
        if (candidates.are_searchers)
            search_pairs_among({own, candidates, own_short}, done);
        else
            search_pairs({own, candidates, own_short},
                         make_short_rows(candidates.placed, scaling, short_strip), done);
    }

    void meet(std::size_t own_end, const PlacedRows& placed, const ListsView& lists,
              const Done& done) const {
        const Searchers visitors{.placed = placed,
                                 .k = own.k,
                                 .factor = own.factor,
                                 .index = on_device_for_update(lists.index),
                                 .squared = on_device_for_update(lists.squared),
                                 .found = on_device_for_update(lists.found),
                                 .limit = on_device(lists.limit)};
        search_pairs_between({own, strangers(own, placed), own_short}, own_end,
                             {visitors, strangers(visitors, own.placed),
                              make_short_rows(placed, scaling, short_strip)},
                             done);
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
                          std::int64_t first_row,
                          const std::function<void(std::size_t rows)>& done) {
    if (state_->rows.empty() || candidates.empty()) return;
    if (!state_->are_own(candidates, layout.order)) {
        const auto placed = place_rows(candidates, layout.order, first_row, state_->scaling);
        return state_->search(candidates_for(state_->own, placed, layout.order), layout.leading,
                              done);
    }
    if (state_->route != SearchRoute::panels)
        state_->own.kept = KeptCandidates(layout.order.size(), state_->own.k);
    state_->search(searchers_as_candidates(state_->own), layout.leading, done);
}

void NeighbourSearch::meet(std::size_t own_end, std::span<const double> visitors,
                           std::int64_t first_row, const ListsView& lists,
                           const std::function<void(std::size_t rows)>& done) {
    if (own_end == 0 || visitors.empty()) return;
    std::vector<std::int32_t> order(lists.rows());
    std::iota(order.begin(), order.end(), 0);
    state_->meet(own_end, place_rows(visitors, order, first_row, state_->scaling), lists, done);
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
