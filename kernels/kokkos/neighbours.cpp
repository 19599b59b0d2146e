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
          low_(team.team_scratch(1), strips(count) * own_.columns),
          high_(team.team_scratch(1), strips(count) * own_.columns),
          admitted_(team.team_scratch(1), strips(count)),
          shelf_(team.team_scratch(1), 2 * block.shelves()),
          shelf_distance_(team.team_scratch(1), block.shelves()) {}

    // The nearest shelf goes first and by itself, its nearest panels first, so that limits are low
    // when the others come.
    KOKKOS_FUNCTION void run() const {
        for (std::size_t g = 0; g < count_; ++g) {
            pooled_(g) = 0;
            limit_(g) = limit_of_list(g);
        }
        measure_boxes();
        sort_shelves();
        const auto shelf = [&](std::size_t i) { return static_cast<std::size_t>(shelf_(i).index); };
        search_nearest_first(shelf(0));
        for (std::size_t i = 1; i < block_.shelves(); ++i) search(shelf(i));
        for (std::size_t g = 0; g < count_; ++g) {
            drop_hopeless(g);
            rank(g);
        }
    }

    static std::size_t scratch_size(std::size_t rows, int k, std::size_t columns,
                                    std::size_t shelves) {
        const auto room = static_cast<std::size_t>(capacity(k));
        return Scratch<float>::shmem_size(rows * room) +
               Scratch<std::int32_t>::shmem_size(rows * room) + Scratch<float>::shmem_size(rows) +
               Scratch<int>::shmem_size(rows) + Scratch<std::int32_t>::shmem_size(room) +
               Scratch<Ranked>::shmem_size(ranked_size(k)) +
               2 * Scratch<float>::shmem_size(strips(rows) * columns) +
               Scratch<std::uint32_t>::shmem_size(strips(rows)) +
               Scratch<Ranked>::shmem_size(2 * shelves) + Scratch<float>::shmem_size(shelves);
    }
    KOKKOS_FUNCTION static int capacity(int k) { return 2 * k + 4 * tile_right; }

  private:
    using Tile = float[tile_left][tile_right];

    // The pool, the list, and room to sort or merge them.
    KOKKOS_FUNCTION static std::size_t ranked_size(int k) {
        return static_cast<std::size_t>(2 * capacity(k) + k);
    }
    // Strips of tile_left searchers.
    KOKKOS_FUNCTION static std::size_t strips(std::size_t rows) {
        return (rows + tile_left - 1) / tile_left;
    }
    KOKKOS_FUNCTION std::size_t end_of_strip(std::size_t strip) const {
        return Kokkos::min((strip + 1) * tile_left, count_);
    }
    KOKKOS_FUNCTION const float* strip_values(std::size_t strip) const {
        return own_.tiles.values.block(first_ / tile_left + strip);
    }
    KOKKOS_FUNCTION std::size_t pool(std::size_t g) const {
        return g * static_cast<std::size_t>(capacity_);
    }
    KOKKOS_FUNCTION float norm2(std::size_t g) const { return own_.tiles.norm2(first_ + g); }

    // Nothing at a squared distance above it can be a neighbour of searcher g.
    KOKKOS_FUNCTION double reach(std::size_t g) const {
        return Kokkos::max(0.0, static_cast<double>(limit_(g)) + norm2(g));
    }

    // Of each strip.
    KOKKOS_FUNCTION void measure_boxes() const {
        for (std::size_t strip = 0; strip < strips(count_); ++strip)
            for (std::size_t c = 0; c < own_.columns; ++c) {
                const float* value = strip_values(strip) + c * tile_left;
                float low = FLT_MAX, high = -FLT_MAX;
                for (std::size_t i = 0; i < end_of_strip(strip) - strip * tile_left; ++i) {
                    low = Kokkos::min(low, value[i]);
                    high = Kokkos::max(high, value[i]);
                }
                low_(strip * own_.columns + c) = low;
                high_(strip * own_.columns + c) = high;
            }
    }

    // Shelves by the distance of their means from that of the group, and a lower bound of the
    // squared distance of any searcher from any row on each: that of the boxes, less rounding.
    KOKKOS_FUNCTION void sort_shelves() const {
        float largest = 0;
        for (std::size_t g = 0; g < count_; ++g) largest = Kokkos::max(largest, norm2(g));
        const auto shelves = block_.shelves();
        for (std::size_t s = 0; s < shelves; ++s) {
            shelf_(s) = {0, static_cast<std::int64_t>(s)};
            shelf_distance_(s) = -slack(largest, block_.shelf_norm2_at_most(s));
        }
        for (std::size_t c = 0; c < own_.columns; ++c) {
            float low = FLT_MAX, high = -FLT_MAX, sum = 0;
            for (std::size_t strip = 0; strip < strips(count_); ++strip) {
                low = Kokkos::min(low, low_(strip * own_.columns + c));
                high = Kokkos::max(high, high_(strip * own_.columns + c));
            }
            for (std::size_t g = 0; g < count_; ++g) sum += own_.tiles.values.at(first_ + g, c);
            const float mean = sum / static_cast<float>(count_);
            for (std::size_t s = 0; s < shelves; ++s) {
                const auto at = c * shelves + s;
                const float gap = Kokkos::max(
                    0.0F, Kokkos::max(block_.shelf_low(at) - high, low - block_.shelf_high(at)));
                shelf_distance_(s) += gap * gap;
                const float apart = block_.shelf_mean(at) - mean;
                shelf_(s).value += static_cast<double>(apart * apart);
            }
        }
        merge_sort(shelf_.data(), static_cast<int>(shelves), shelf_.data() + shelves);
    }

    // By how much the squared distance of two boxes of f32 rows may exceed that of the rows.
    KOKKOS_FUNCTION float slack(float norm2_here, float norm2_there) const {
        return 4 * own_.rounding.relative * (norm2_here + norm2_there) + own_.rounding.absolute;
    }

    // Panel by panel, each from memory once for all strips that it may concern.
    KOKKOS_FUNCTION void search(std::size_t shelf) const {
        std::uint32_t any = 0;
        for (std::size_t strip = 0; strip < strips(count_); ++strip) {
            Tile distance2;
            admitted_(strip) = admit(strip, shelf, distance2);
            any |= admitted_(strip);
        }
        for (std::size_t p = 0; p < tile_right; ++p) {
            if ((any >> p & 1U) == 0) continue;
            for (std::size_t strip = 0; strip < strips(count_); ++strip)
                if ((admitted_(strip) >> p & 1U) != 0) compare(strip, shelf * tile_right + p);
        }
    }

    // Strip by strip, the nearest panels first; each may put others out of reach.
    KOKKOS_FUNCTION void search_nearest_first(std::size_t shelf) const {
        for (std::size_t strip = 0; strip < strips(count_); ++strip) {
            Tile distance2;
            const auto admitted = admit(strip, shelf, distance2);
            Ranked panel[tile_right];
            int count = 0;
            for (int p = 0; p < tile_right; ++p) {
                if ((admitted >> p & 1U) == 0) continue;
                float nearest = INFINITY;
                for (auto& of_searcher : distance2) nearest = Kokkos::min(nearest, of_searcher[p]);
                panel[count++] = {nearest, p};
            }
            insertion_sort(panel, count);
            for (int i = 0; i < count; ++i) {
                const auto p = static_cast<std::size_t>(panel[i].index);
                if (i == 0 || (within_reach(strip, shelf, distance2) >> p & 1U) != 0)
                    compare(strip, shelf * tile_right + p);
            }
        }
    }

    // The panels of a shelf, a bit each, that may hold neighbours of a strip's searchers; if any,
    // lower bounds of the squared distances of all searchers from the centres of all panels.
    KOKKOS_FUNCTION std::uint32_t admit(std::size_t strip, std::size_t shelf,
                                        Tile& distance2) const {
        float largest = 0, farthest = 0;
        for (std::size_t g = strip * tile_left; g < end_of_strip(strip); ++g) {
            largest = Kokkos::max(largest, norm2(g));
            farthest = Kokkos::max(farthest, static_cast<float>(reach(g)));
        }
        if (shelf_distance_(shelf) > farthest) return 0;
        const auto by_boxes = not_apart(strip, shelf, largest, farthest);
        if (by_boxes == 0) return 0;
        dot_tile(strip_values(strip), block_.centre.block(shelf), own_.columns, distance2);
        const float* base = &block_.centre_base(shelf * tile_right);
        for (std::size_t i = 0; i < tile_left; ++i) {
            const std::size_t g = Kokkos::min(strip * tile_left + i, count_ - 1);
            const float own = (1 - own_.rounding.relative) * norm2(g);
#pragma omp simd
            for (int p = 0; p < tile_right; ++p)
                distance2[i][p] = base[p] - 2 * distance2[i][p] + own;
        }
        return by_boxes & within_reach(strip, shelf, distance2);
    }

    // By the boxes around the strip and the panels.
    KOKKOS_FUNCTION std::uint32_t not_apart(std::size_t strip, std::size_t shelf, float largest,
                                            float farthest) const {
        float apart[tile_right] = {};
        for (std::size_t c = 0; c < own_.columns; ++c) {
            const float low = low_(strip * own_.columns + c);
            const float high = high_(strip * own_.columns + c);
            const float* from = &block_.low((shelf * own_.columns + c) * tile_right);
            const float* to = &block_.high((shelf * own_.columns + c) * tile_right);
#pragma omp simd
            for (int p = 0; p < tile_right; ++p) {
                const float after = from[p] - high, before = low - to[p];
                const float a = after + Kokkos::abs(after), b = before + Kokkos::abs(before);
                apart[p] += a * a + b * b;  // four times the square of what is positive
            }
        }
        std::uint32_t bits = 0;
        for (int p = 0; p < tile_right; ++p) {
            const float rounded = slack(
                largest, block_.norm2_at_most(shelf * tile_right + static_cast<std::size_t>(p)));
            bits |= static_cast<std::uint32_t>(apart[p] / 4 - rounded <= farthest) << p;
        }
        return bits;
    }

    // By the balls around the panels: a row of one is no nearer than its centre less its radius.
    KOKKOS_FUNCTION std::uint32_t within_reach(std::size_t strip, std::size_t shelf,
                                               const Tile& distance2) const {
        constexpr float up = 1.00001F;  // more than the rounding of this
        const float* radius = &block_.radius(shelf * tile_right);
        int within[tile_right] = {};
        for (std::size_t g = strip * tile_left; g < end_of_strip(strip); ++g) {
            const float root = up * static_cast<float>(Kokkos::sqrt(reach(g)));
            const float* of_searcher = distance2[g - strip * tile_left];
#pragma omp simd
            for (int p = 0; p < tile_right; ++p) {
                const float far = up * (root + radius[p]);
                within[p] |= static_cast<int>(of_searcher[p] <= far * far);
            }
        }
        std::uint32_t bits = 0;
        for (int p = 0; p < tile_right; ++p)
            bits |= static_cast<std::uint32_t>(within[p] & static_cast<int>(is_panel(shelf, p)))
                    << p;
        return bits;
    }

    KOKKOS_FUNCTION bool is_panel(std::size_t shelf, int p) const {
        return shelf * tile_right + static_cast<std::size_t>(p) <
               (block_.tiles.count() + tile_right - 1) / tile_right;
    }

    // Offers a panel to the searchers of a strip.
    KOKKOS_FUNCTION void compare(std::size_t strip, std::size_t panel) const {
        Tile dot;
        dot_tile(strip_values(strip), block_.tiles.values.block(panel), own_.columns, dot);
        const std::size_t first = strip * tile_left;
        for (std::size_t g = first; g < end_of_strip(strip); ++g)
            offer(g, dot[g - first], panel * tile_right);
    }

    // Takes the products of searcher g with candidates [first, first + tile_right) of the block.
    KOKKOS_FUNCTION void offer(std::size_t g, const float* dot, std::size_t first) const {
        const float* base = &block_.base(first);
        const float limit = limit_(g);
        float bounds[tile_right];
        int passing = 0;
#pragma omp simd reduction(+ : passing)
        for (int j = 0; j < tile_right; ++j) {
            bounds[j] = base[j] - 2 * dot[j];
            passing += bounds[j] <= limit;
        }
        if (passing == 0) return;
        if (pooled_(g) + tile_right > capacity_) make_room(g);
        // Without branches: each is written, and the next overwrites those that don't pass.
        const std::size_t start = pool(g) + static_cast<std::size_t>(pooled_(g));
        float* bound = &bound_(start);
        std::int32_t* candidate = &candidate_(start);
        const int self = block_.self(first_ + g) - static_cast<int>(first);
        int kept = 0;
        for (int j = 0; j < tile_right; ++j) {
            bound[kept] = bounds[j];
            candidate[kept] = static_cast<std::int32_t>(first) + j;
            kept += static_cast<int>(bounds[j] <= limit) & static_cast<int>(j != self);
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
            upper_(i) = float_rank(bound[i] + 2 * (rounding.relative * sum + rounding.absolute));
        }
        const float limit = Kokkos::min(limit_(g), limit_of_first(upper_.data(), count, own_.k));
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
    Scratch<std::int32_t> upper_;      // [capacity] float_rank()s of upper bounds
    Scratch<Ranked> ranked_;           // to rank the pool of one searcher
    Scratch<float> low_, high_;        // [strips, columns] the box around each strip
    Scratch<std::uint32_t> admitted_;  // [strips] panels of the shelf in hand, a bit each
    Scratch<Ranked> shelf_;            // [2 shelves] by distance, and scratch
    Scratch<float> shelf_distance_;    // [shelves] lower bounds, squared
};

// Rows of a group: enough to make much of each tile of candidates that comes from memory, few
// enough for every thread to get some, and for their pools to stay below 8 MiB.
std::size_t rows_of_group(std::size_t n, int k) {
    const auto threads = static_cast<std::size_t>(Execution().concurrency());
    const std::size_t shared_out = n / (4 * threads) / tile_left * tile_left;
    const std::size_t pooled =
        (1U << 20) / static_cast<std::size_t>(Group::capacity(k)) / tile_left * tile_left;
    return std::clamp<std::size_t>(std::min(shared_out, pooled), tile_left, 21 * tile_left);
}

// Compares searchers [first, end) with a block.
void search(const Searchers& searchers, const Block& block, std::size_t first, std::size_t end,
            std::size_t group_rows) {
    const auto groups = static_cast<int>((end - first + group_rows - 1) / group_rows);
    auto policy = Policy(groups, 1);
    policy.set_scratch_size(1, Kokkos::PerTeam(Group::scratch_size(
                                   group_rows, searchers.k, searchers.columns, block.shelves())));
    Kokkos::parallel_for(
        "neighbours/search", policy, KOKKOS_LAMBDA(const Policy::member_type& team) {
            const std::size_t start =
                first + static_cast<std::size_t>(team.league_rank()) * group_rows;
            Group(team, searchers, block, start, Kokkos::min(group_rows, end - start)).run();
        });
    Kokkos::fence();
}

}  // namespace

std::vector<std::int32_t> layout_order(std::span<const double> rows, std::size_t columns) {
    return space_order(rows, columns, tile_right);
}

struct NeighbourSearch::State {
    Searchers own;
    Scaling scaling;
    std::span<std::int64_t> index;
    std::span<double> distance;
};

NeighbourSearch::NeighbourSearch(std::span<const double> rows, std::span<const std::int32_t> order,
                                 std::int64_t first_row, const Frame& frame,
                                 std::span<std::int64_t> index, std::span<double> distance) {
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
    own.tiles = make_tile_rows(own.rows, order, scaling, tile_left);
    state_ = std::make_unique<State>(State{own, scaling, index, distance});
}

NeighbourSearch::~NeighbourSearch() = default;

void NeighbourSearch::add(std::span<const double> candidates, std::span<const std::int32_t> order,
                          std::int64_t first_row,
                          const std::function<void(std::size_t rows)>& done) {
    const std::size_t n = state_->own.found.extent(0);
    if (n == 0 || candidates.empty()) return;
    const auto block = make_block(state_->own, state_->scaling, candidates, order, first_row);
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
