#include "kernels/kokkos/neighbours.hpp"

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "kernels/kokkos/neighbour_rows.hpp"
#include "kernels/kokkos/selection.hpp"
#include "kernels/kokkos/space_order.hpp"
#include "kernels/kokkos/squared_distance.hpp"
#include "kernels/kokkos/views.hpp"

namespace nanoatlas::kernels::kokkos {
namespace {

using Policy = Kokkos::TeamPolicy<Execution, Kokkos::Schedule<Kokkos::Dynamic>>;
template <class T>
using Scratch = Kokkos::View<T*, Execution::scratch_memory_space, Kokkos::MemoryUnmanaged>;

// A few searchers at work on a block, with the candidates that may be neighbours of theirs. Bounds
// here leave out what is the same for all candidates of a row:
// lower bound of the squared distance = bound + (1 - relative) |x|^2.
class Group {
  public:
    KOKKOS_FUNCTION Group(const Policy::member_type& team, const Searchers& searchers,
                          const Block& block, std::size_t first, std::size_t count)
        : own_(searchers),
          block_(block),
          first_(first),
          count_(count),
          capacity_(capacity(searchers.k)),
          bound_(team.team_scratch(1), count * static_cast<std::size_t>(capacity_)),
          candidate_(team.team_scratch(1), count * static_cast<std::size_t>(capacity_)),
          limit_(team.team_scratch(1), count),
          pooled_(team.team_scratch(1), count),
          upper_(team.team_scratch(1), static_cast<std::size_t>(capacity_)),
          ranked_(team.team_scratch(1), ranked_size(searchers.k)),
          panel_(team.team_scratch(1), 2 * block.panels()) {}

    // The nearest panels come first, so that limits are low from the start; the first that is
    // beyond all limits ends the search.
    KOKKOS_FUNCTION void run() const {
        for (std::size_t g = 0; g < count_; ++g) {
            pooled_(g) = 0;
            limit_(g) = limit_of_list(g);
        }
        sort_panels();
        for (std::size_t i = 0; i < block_.panels(); ++i)
            if (!compare(static_cast<std::size_t>(panel_(i).index), panel_(i).value)) break;
        for (std::size_t g = 0; g < count_; ++g) {
            drop_hopeless(g);
            rank(g);
        }
    }

    static std::size_t scratch_size(std::size_t rows, int k, std::size_t panels) {
        const auto room = static_cast<std::size_t>(capacity(k));
        return Scratch<float>::shmem_size(rows * room) +
               Scratch<std::int32_t>::shmem_size(rows * room) + Scratch<float>::shmem_size(rows) +
               Scratch<int>::shmem_size(rows) + Scratch<float>::shmem_size(room) +
               Scratch<Ranked>::shmem_size(ranked_size(k)) +
               Scratch<Ranked>::shmem_size(2 * panels);
    }
    KOKKOS_FUNCTION static int capacity(int k) { return 2 * k + 4 * tile_right; }

  private:
    // The pool, the list, and room to sort or merge them.
    KOKKOS_FUNCTION static std::size_t ranked_size(int k) {
        return static_cast<std::size_t>(2 * capacity(k) + k);
    }
    KOKKOS_FUNCTION std::size_t pool(std::size_t g) const {
        return g * static_cast<std::size_t>(capacity_);
    }

    // Each panel with a lower bound of the squared distance of any searcher from any of its rows:
    // that of the boxes around both, less rounding. Ascending.
    KOKKOS_FUNCTION void sort_panels() const {
        float largest = 0;
        for (std::size_t g = 0; g < count_; ++g)
            largest = Kokkos::max(largest, own_.tiles.norm2(first_ + g));
        const auto panels = block_.panels();
        for (std::size_t p = 0; p < panels; ++p)
            panel_(p) = {-2.0 * own_.rounding.relative * (largest + block_.largest_norm2(p)) -
                             own_.rounding.absolute,
                         static_cast<std::int64_t>(p)};
        for (std::size_t c = 0; c < own_.columns; ++c) {
            float low = FLT_MAX, high = -FLT_MAX;
            for (std::size_t g = 0; g < count_; ++g) {
                const float value = own_.tiles.values.at(first_ + g, c);
                low = Kokkos::min(low, value);
                high = Kokkos::max(high, value);
            }
            for (std::size_t p = 0; p < panels; ++p) {
                const float gap = Kokkos::max(block_.low(c * panels + p) - high,
                                              low - block_.high(c * panels + p));
                if (gap > 0) panel_(p).value += static_cast<double>(gap) * gap;
            }
        }
        merge_sort(panel_.data(), static_cast<int>(panels), panel_.data() + panels);
    }

    // Offers a panel, at least `distance` away (squared), to all searchers that it may concern.
    // False if there are none.
    KOKKOS_FUNCTION bool compare(std::size_t panel, double distance) const {
        bool any = false;
        for (std::size_t g = 0; g < count_; g += tile_left) {
            const std::size_t end = Kokkos::min(g + tile_left, count_);
            double reach = -FLT_MAX;
            for (std::size_t i = g; i < end; ++i)
                reach = Kokkos::max(reach,
                                    static_cast<double>(limit_(i)) + own_.tiles.norm2(first_ + i));
            if (distance > reach) continue;
            any = true;
            float dot[tile_left][tile_right];
            dot_tile(own_.tiles.values.block((first_ + g) / tile_left),
                     block_.tiles.values.block(panel), own_.columns, dot);
            for (std::size_t i = g; i < end; ++i) offer(i, dot[i - g], panel * tile_right);
        }
        return any;
    }

    // Takes the products of searcher g with candidates [first, first + tile_right) of the block.
    KOKKOS_FUNCTION void offer(std::size_t g, const float* dot, std::size_t first) const {
        const float* base = &block_.base(first);
        const float limit = limit_(g);
        int passing = 0;
        for (int j = 0; j < tile_right; ++j) passing += base[j] - 2 * dot[j] <= limit;
        if (passing == 0) return;
        if (pooled_(g) + tile_right > capacity_) make_room(g);
        // Without branches: each is written, and the next overwrites those that don't pass.
        const std::size_t start = pool(g) + static_cast<std::size_t>(pooled_(g));
        float* bound = &bound_(start);
        std::int32_t* candidate = &candidate_(start);
        const int self = block_.self(first_ + g) - static_cast<int>(first);
        int kept = 0;
        for (int j = 0; j < tile_right; ++j) {
            bound[kept] = base[j] - 2 * dot[j];
            candidate[kept] = static_cast<std::int32_t>(first) + j;
            kept += static_cast<int>(bound[kept] <= limit) & static_cast<int>(j != self);
        }
        pooled_(g) += kept;
    }

    KOKKOS_FUNCTION void make_room(std::size_t g) const {
        drop_hopeless(g);
        if (pooled_(g) + tile_right > capacity_) rank(g);
    }

    // Keeps the candidates whose lower bound does not exceed the k-th smallest upper bound.
    KOKKOS_FUNCTION void drop_hopeless(std::size_t g) const {
        const int count = pooled_(g);
        if (count < own_.k) return;
        float* bound = &bound_(pool(g));
        std::int32_t* candidate = &candidate_(pool(g));
        const auto& rounding = own_.rounding;
        for (int i = 0; i < count; ++i) {
            const float sum = own_.tiles.norm2(first_ + g) + block_.tiles.norm2(candidate[i]);
            upper_(i) = bound[i] + 2 * (rounding.relative * sum + rounding.absolute);
        }
        const float limit = Kokkos::min(limit_(g), select_nth(upper_.data(), count, own_.k - 1));
        int kept = 0;
        for (int i = 0; i < count; ++i)
            if (bound[i] <= limit) {
                bound[kept] = bound[i];
                candidate[kept++] = candidate[i];
            }
        limit_(g) = limit;
        pooled_(g) = kept;
    }

    KOKKOS_FUNCTION std::size_t row_of(std::size_t g) const {
        return static_cast<std::size_t>(own_.tiles.order(first_ + g));
    }

    // The limit that the list itself sets once it is full.
    KOKKOS_FUNCTION float limit_of_list(std::size_t g) const {
        const std::size_t row = row_of(g);
        if (own_.found(row) < own_.k) return FLT_MAX;
        const double norm2 = own_.tiles.norm2(first_ + g);
        const double kth = own_.squared(own_.list(row + 1) - 1) * own_.factor * own_.factor;
        const double rounded_up = 0x1p-22 * (kth + norm2) + own_.rounding.absolute;
        return static_cast<float>(
            Kokkos::min(kth - (1 - own_.rounding.relative) * norm2 + rounded_up, double{FLT_MAX}));
    }

    // Moves the pool into the list, by f64 distances.
    KOKKOS_FUNCTION void rank(std::size_t g) const {
        const std::size_t row = row_of(g);
        const int count = pooled_(g), known = own_.found(row);
        const int kept = Kokkos::min(own_.k, known + count);
        Ranked* fresh = ranked_.data();
        Ranked* listed = fresh + capacity_;
        Ranked* spare = listed + own_.k;
        for (int i = 0; i < count; ++i) {
            const auto position = static_cast<std::size_t>(candidate_(pool(g) + i));
            const auto candidate = static_cast<std::size_t>(block_.tiles.order(position));
            fresh[i] = {squared_distance(&own_.rows(row * own_.columns),
                                         &block_.rows(candidate * own_.columns), own_.columns),
                        block_.first_row + static_cast<std::int64_t>(candidate)};
        }
        double* squared = &own_.squared(own_.list(row));
        std::int64_t* index = &own_.index(own_.list(row));
        for (int i = 0; i < known; ++i) listed[i] = {squared[i], index[i]};
        merge_sort(fresh, count, spare);
        merge_first(listed, known, fresh, count, kept, spare);
        for (int i = 0; i < kept; ++i) {
            squared[i] = spare[i].value;
            index[i] = spare[i].index;
        }
        own_.found(row) = kept;
        pooled_(g) = 0;
        limit_(g) = Kokkos::min(limit_(g), limit_of_list(g));
    }

    const Searchers& own_;
    const Block& block_;
    std::size_t first_, count_;
    int capacity_;
    Scratch<float> bound_;             // [group, capacity] lower bounds of the pooled candidates
    Scratch<std::int32_t> candidate_;  // [group, capacity] their numbers in the block
    Scratch<float> limit_;             // [group] candidates above it are out
    Scratch<int> pooled_;              // [group]
    Scratch<float> upper_;             // [capacity]
    Scratch<Ranked> ranked_;           // to rank the pool of one searcher
    Scratch<Ranked> panel_;            // [2 panels] by distance, and scratch
};

// Rows of a group: enough to make much of each tile of candidates that comes from memory, few
// enough for every thread to get some, and for their pools to stay below 8 MiB.
std::size_t rows_of_group(std::size_t n, int k) {
    const auto threads = static_cast<std::size_t>(Execution().concurrency());
    const std::size_t shared_out = n / (4 * threads) / tile_left * tile_left;
    const std::size_t pooled =
        (1U << 20) / static_cast<std::size_t>(Group::capacity(k)) / tile_left * tile_left;
    return std::clamp<std::size_t>(std::min(shared_out, pooled), tile_left, 256);
}

// Compares searchers [first, end) with a block.
void search(const Searchers& searchers, const Block& block, std::size_t first, std::size_t end,
            std::size_t group_rows) {
    const auto groups = static_cast<int>((end - first + group_rows - 1) / group_rows);
    auto policy = Policy(groups, 1);
    policy.set_scratch_size(
        1, Kokkos::PerTeam(Group::scratch_size(group_rows, searchers.k, block.panels())));
    Kokkos::parallel_for(
        "neighbours/search", policy, KOKKOS_LAMBDA(const Policy::member_type& team) {
            const std::size_t start =
                first + static_cast<std::size_t>(team.league_rank()) * group_rows;
            Group(team, searchers, block, start, Kokkos::min(group_rows, end - start)).run();
        });
    Kokkos::fence();
}

}  // namespace

struct NeighbourSearch::State {
    Searchers own;
    Scaling scaling;
    std::span<std::int64_t> index;
    std::span<double> distance;
};

NeighbourSearch::NeighbourSearch(std::span<const double> rows, std::int64_t first_row,
                                 const Frame& frame, std::span<std::int64_t> index,
                                 std::span<double> distance) {
    const std::size_t columns = frame.centre.size(), n = rows.size() / columns;
    const Scaling scaling = scaling_of(frame);
    Searchers own{.columns = columns,
                  .k = n == 0 ? 0 : static_cast<int>(index.size() / n),
                  .first_row = first_row,
                  .factor = scaling.factor,
                  .rounding = RoundingBound(columns),
                  .rows = on_device(rows),
                  .tiles = {},
                  .index = room_on_device(index),
                  .squared = room_on_device(distance),
                  .found = DeviceView<int>("found", n)};
    own.tiles =
        make_tile_rows(own.rows, space_order(rows, columns, tile_right), scaling, tile_left);
    state_ = std::make_unique<State>(State{own, scaling, index, distance});
}

NeighbourSearch::~NeighbourSearch() = default;

void NeighbourSearch::add(std::span<const double> candidates, std::int64_t first_row,
                          const std::function<void(std::size_t rows)>& done) {
    const std::size_t n = state_->own.found.extent(0);
    if (n == 0 || candidates.empty()) return;
    const auto block = make_block(state_->own, state_->scaling, candidates, first_row);
    const std::size_t group_rows = rows_of_group(n, state_->own.k);
    const std::size_t at_once =
        8 * group_rows * static_cast<std::size_t>(Execution().concurrency());
    for (std::size_t first = 0; first < n; first += at_once) {
        const std::size_t end = std::min(n, first + at_once);
        search(state_->own, block, first, end, group_rows);
        if (done) done(end - first);
    }
}

void NeighbourSearch::finish() {
    const auto squared = state_->own.squared;
    for_each_row(
        "neighbours/root", squared.extent(0),
        KOKKOS_LAMBDA(std::size_t i) { squared(i) = Kokkos::sqrt(squared(i)); });
    Kokkos::fence();
    copy_back(state_->own.index, state_->index);
    copy_back(squared, state_->distance);
}

}  // namespace nanoatlas::kernels::kokkos
