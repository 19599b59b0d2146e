#include "kernels/kokkos/outgoing_search.hpp"

#include <cfloat>
#include <cmath>

#include "kernels/kokkos/component_tiles.hpp"
#include "kernels/kokkos/selection.hpp"
#include "kernels/kokkos/squared_distance.hpp"

namespace nanoatlas::kernels::kokkos {
namespace {

struct Search {
    std::size_t columns;
    double factor, alpha;
    RoundingBound rounding;
    ReachableRows all;
    Centres centres;
    ComponentTiles own;
    RoomView<double> weight, distance;  // [n]
    RoomView<std::int64_t> to;          // [n]
    RoomView<double> limit;             // [components]
};

// One tile of searchers against a block.
class Searcher {
  public:
    KOKKOS_FUNCTION Searcher(const Team& team, const Search& search, const ComponentTiles& block)
        : search_(search),
          block_(block),
          tile_(static_cast<std::size_t>(team.league_rank())),
          near_(team.team_scratch(1), 2 * block.count()) {}

    // The nearest tiles come first, so that limits are low early; the first that is out of reach
    // ends the search.
    KOKKOS_FUNCTION void run() {
        update_limits();
        const int count = collect();
        merge_sort(near_.data(), count, near_.data() + block_.count());
        for (int i = 0; i < count && near_(i).value <= reach_; ++i) {
            compare(static_cast<std::size_t>(near_(i).index));
            update_limits();
        }
    }

    static std::size_t scratch_size(std::size_t tiles) {
        return Scratch<Ranked>::shmem_size(2 * tiles);
    }

  private:
    KOKKOS_FUNCTION std::size_t position(int i) const {
        return tile_ * tile_left + static_cast<std::size_t>(i);
    }

    // Weights above limit_ are out; so are lower bounds of f32 above bound_, and tiles whose
    // squared distance is above reach_.
    KOKKOS_FUNCTION void update_limits() {
        reach_ = -1;
        greatest_ = -1;
        for (int i = 0; i < tile_left; ++i) {
            bound_[i] = -FLT_MAX;
            const auto row = search_.own.row(position(i));
            if (row < 0) continue;
            const auto component = search_.all.component(search_.own.first_row + row);
            limit_[i] =
                Kokkos::min(search_.weight(row), Kokkos::atomic_load(&search_.limit(component)));
            const double norm2 = search_.own.norm2(position(i));
            const double scaled = limit_[i] * search_.alpha * search_.factor;
            const double squared = scaled * scaled;
            const double rounded_up = 0x1p-22 * (squared + norm2) + search_.rounding.absolute;
            bound_[i] = static_cast<float>(Kokkos::min(
                squared - (1 - search_.rounding.relative) * norm2 + rounded_up, double{FLT_MAX}));
            reach_ = Kokkos::max(reach_, squared + rounded_up);
            greatest_ = Kokkos::max(greatest_, limit_[i]);
        }
    }

    // The tiles within reach, with a lower bound of their squared distance.
    KOKKOS_FUNCTION int collect() const {
        const auto component = search_.own.component(tile_);
        int count = 0;
        for (std::size_t t = 0; t < block_.count(); ++t) {
            const auto other = block_.component(t);
            if ((component >= 0 && other == component) || block_.least_core(t) > greatest_)
                continue;
            const double rounding =
                2.0 * search_.rounding.relative *
                    (search_.own.largest_norm2(tile_) + block_.largest_norm2(t)) +
                search_.rounding.absolute;
            double bound = beyond_plane(t, search_.own.centre(tile_), block_.centre(t)) - rounding;
            if (bound > reach_) continue;
            bound = Kokkos::max(bound, static_cast<double>(between_boxes(t)) - rounding);
            if (bound > reach_) continue;
            near_(static_cast<std::size_t>(count++)) = {bound, static_cast<std::int64_t>(t)};
        }
        return count;
    }

    // The square of how far apart the planes keep two tiles of groups with centres.
    KOKKOS_FUNCTION double beyond_plane(std::size_t t, std::int32_t own, std::int32_t other) const {
        if (own < 0 || other < 0) return 0;
        const auto a = static_cast<std::size_t>(own), b = static_cast<std::size_t>(other);
        const std::size_t count = search_.centres.count;
        const float gap = (search_.own.plane(tile_ * count + b) + block_.plane(t * count + a)) *
                          search_.centres.inverse_distance(a * count + b);
        return gap > 0 ? static_cast<double>(gap) * gap : 0;
    }

    KOKKOS_FUNCTION float between_boxes(std::size_t t) const {
        constexpr std::size_t lanes = 8;
        const float* own_low = &search_.own.low(tile_ * search_.columns);
        const float* own_high = &search_.own.high(tile_ * search_.columns);
        const float* low = &block_.low(t * search_.columns);
        const float* high = &block_.high(t * search_.columns);
        float sums[lanes] = {};
        const auto add = [&](std::size_t c, std::size_t lane) {
            const float gap =
                Kokkos::max(0.F, Kokkos::max(low[c] - own_high[c], own_low[c] - high[c]));
            sums[lane] += gap * gap;
        };
        std::size_t c = 0;
        for (; c + lanes <= search_.columns; c += lanes)
            for (std::size_t lane = 0; lane < lanes; ++lane) add(c + lane, lane);
        for (std::size_t lane = 0; c < search_.columns; ++c, ++lane) add(c, lane);
        float sum = 0;
        for (const float part : sums) sum += part;
        return sum;
    }

    KOKKOS_FUNCTION void compare(std::size_t t) {
        float dot[tile_left][tile_right];
        dot_tile(search_.own.values.block(tile_), block_.values.block(t), search_.columns, dot);
        const std::size_t first = t * tile_right;
        float base[tile_right];
        for (int j = 0; j < tile_right; ++j)
            base[j] = (1 - search_.rounding.relative) *
                          block_.norm2(first + static_cast<std::size_t>(j)) -
                      search_.rounding.absolute;
        for (int i = 0; i < tile_left; ++i) {
            int passing = 0;
            for (int j = 0; j < tile_right; ++j) passing += base[j] - 2 * dot[i][j] <= bound_[i];
            if (passing == 0) continue;
            for (int j = 0; j < tile_right; ++j)
                if (base[j] - 2 * dot[i][j] <= bound_[i])
                    decide(i, first + static_cast<std::size_t>(j));
        }
    }

    // In f64, for searcher i and the candidate at a position of the block.
    KOKKOS_FUNCTION void decide(int i, std::size_t candidate) {
        const auto row = search_.own.row(position(i)), other_row = block_.row(candidate);
        if (other_row < 0) return;
        const std::int64_t number = search_.own.first_row + row;
        const std::int64_t other = block_.first_row + other_row;
        const auto component = search_.all.component(number);
        if (component == search_.all.component(other)) return;
        const double core = Kokkos::max(search_.all.core(number), search_.all.core(other));
        if (core > limit_[i]) return;
        const double distance = Kokkos::sqrt(squared_distance(
            &search_.own.rows(static_cast<std::size_t>(row) * search_.columns),
            &block_.rows(static_cast<std::size_t>(other_row) * search_.columns), search_.columns));
        const double weight = Kokkos::max(core, distance / search_.alpha);
        if (weight > limit_[i] || !is_less(weight, distance, other, row)) return;
        search_.weight(row) = weight;
        search_.distance(row) = distance;
        search_.to(row) = other;
        limit_[i] = weight;
        Kokkos::atomic_min(&search_.limit(component), weight);
    }

    // Than what the row has found.
    KOKKOS_FUNCTION bool is_less(double weight, double distance, std::int64_t other,
                                 std::int32_t row) const {
        if (weight != search_.weight(row)) return weight < search_.weight(row);
        if (distance != search_.distance(row)) return distance < search_.distance(row);
        return other < search_.to(row);
    }

    const Search& search_;
    const ComponentTiles& block_;
    std::size_t tile_;
    Scratch<Ranked> near_;  // [2 tiles of the block] by distance, and room to sort
    double limit_[tile_left];
    float bound_[tile_left];
    double reach_, greatest_;
};

}  // namespace

struct OutgoingSearch::State {
    Search search;
    Scaling scaling;
    ReachabilityGraph graph;
    OutgoingEdges edges;

    ComponentTiles tiles(const OrderedRows& rows, int width) const {
        const auto group = graph.group.subspan(static_cast<std::size_t>(rows.first_row),
                                               rows.values.size() / search.columns);
        return make_component_tiles(on_device(rows.values), rows.first_row, rows.order, group,
                                    graph.groups, search.all, scaling, search.centres, width);
    }
};

OutgoingSearch::OutgoingSearch(const OrderedRows& rows, const Frame& frame,
                               const ReachabilityGraph& graph, const OutgoingEdges& edges) {
    const Scaling scaling = scaling_of(frame);
    state_ = std::make_unique<State>(
        State{.search = {.columns = frame.centre.size(),
                         .factor = scaling.factor,
                         .alpha = graph.alpha,
                         .rounding = RoundingBound(frame.centre.size()),
                         .all = {on_device(graph.core), on_device(graph.component),
                                 on_device(graph.group)},
                         .centres = make_centres(graph.centres, scaling),
                         .own = {},
                         .weight = on_device_for_update(edges.weight),
                         .distance = on_device_for_update(edges.distance),
                         .to = on_device_for_update(edges.to),
                         .limit = on_device_for_update(edges.limit)},
              .scaling = scaling,
              .graph = graph,
              .edges = edges});
    state_->search.own = state_->tiles(rows, tile_left);
}

OutgoingSearch::~OutgoingSearch() = default;

void OutgoingSearch::add(const OrderedRows& candidates) {
    const auto& search = state_->search;
    if (search.own.count() == 0 || candidates.order.empty()) return;
    const auto block = state_->tiles(candidates, tile_right);
    auto policy = Teams(static_cast<int>(search.own.count()), 1);
    policy.set_scratch_size(1, Kokkos::PerTeam(Searcher::scratch_size(block.count())));
    const auto with = search;
    Kokkos::parallel_for(
        "hdbscan/search", policy,
        KOKKOS_LAMBDA(const Team& team) { Searcher(team, with, block).run(); });
    Kokkos::fence();
}

void OutgoingSearch::finish() {
    copy_back(state_->search.weight, state_->edges.weight);
    copy_back(state_->search.distance, state_->edges.distance);
    copy_back(state_->search.to, state_->edges.to);
    copy_back(state_->search.limit, state_->edges.limit);
}

}  // namespace nanoatlas::kernels::kokkos
