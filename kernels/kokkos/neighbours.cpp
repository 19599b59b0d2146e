#include "kernels/kokkos/neighbours.hpp"

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "kernels/kokkos/selection.hpp"
#include "kernels/kokkos/tile_product.hpp"
#include "kernels/kokkos/views.hpp"

namespace nanoatlas::kernels::kokkos {
namespace {

template <class T>
using Table = Kokkos::View<T**, Kokkos::LayoutRight, DeviceMemory>;

constexpr std::size_t tile_columns = 2048;  // candidates of one tile
constexpr int chunk = 64;                   // candidates that are looked at together

// Rounding of a tile, for a pair (x, y) of rows scaled so that no component exceeds 1 and
// S = |x|^2 + |y|^2: the value computed in f32 is within relative * S + absolute of the squared
// distance. Rounding the rows themselves moves it by 4u S, the product of `columns` terms in
// whatever order by columns * u S (Higham, Accuracy and Stability, 3.5), norms, sums and
// comparisons by a few u S more; u = 2^-24. Values below f32's normal range are the absolute part.
struct RoundingBound {
    float relative, absolute;
    explicit RoundingBound(std::size_t columns)
        : relative(1.01F * (static_cast<float>(columns) + 24) * 0x1p-24F),
          absolute(static_cast<float>(columns) * 0x1p-120F) {}
};

// Rows in the form that tiles are made of: centred, scaled, f32.
struct TileRows {
    Table<float> values;      // [n, columns]
    DeviceView<float> norm2;  // [n]
};

struct Scaling {
    DeviceView<double> centre;
    double factor;  // a power of two, so that scaling does not round
};

TileRows make_tile_rows(const SeenView<double>& rows, std::size_t columns, const Scaling& scaling) {
    const std::size_t n = rows.extent(0) / columns;
    TileRows made{Table<float>(Kokkos::view_alloc(Kokkos::WithoutInitializing, "rows"), n, columns),
                  DeviceView<float>("norm2", n)};
    for_each_row(
        "neighbours/tile_rows", n, KOKKOS_LAMBDA(std::size_t i) {
            double sum = 0;
            for (std::size_t c = 0; c < columns; ++c) {
                const double centred = rows(i * columns + c) - scaling.centre(c);
                const auto value = static_cast<float>(centred * scaling.factor);
                made.values(i, c) = value;
                sum += static_cast<double>(value) * static_cast<double>(value);
            }
            made.norm2(i) = static_cast<float>(sum);
        });
    return made;
}

// In f64 from the original differences. The one place that computes it, so that a pair has one
// distance, to the bit, whichever rank meets it.
KOKKOS_FUNCTION double squared_distance(const double* a, const double* b, std::size_t columns) {
    constexpr std::size_t lanes = 8;
    double sums[lanes] = {};
    std::size_t c = 0;
    for (; c + lanes <= columns; c += lanes)
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            const double difference = a[c + lane] - b[c + lane];
            sums[lane] += difference * difference;
        }
    for (std::size_t lane = 0; c < columns; ++c, ++lane) {
        const double difference = a[c] - b[c];
        sums[lane] += difference * difference;
    }
    return ((sums[0] + sums[4]) + (sums[1] + sums[5])) +
           ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

// What the threads of a kernel share. Bounds below leave out what is the same for all candidates of
// a row: lower bound = product + base - relative * |x|^2 + |x|^2.
struct Lists {
    std::size_t columns;
    int k;
    std::int64_t first_row;
    double factor;
    RoundingBound rounding;
    // All rows of this search.
    SeenView<double> rows;
    TileRows tiles;
    RoomView<std::int64_t> index;
    RoomView<double> value;
    DeviceView<int> found;
    // The group of rows at work, and its candidates that may be neighbours.
    std::size_t group_first = 0;
    int capacity = 0;
    Table<float> pool_bound{};         // [group, capacity] lower bound of a candidate
    Table<std::int32_t> pool_index{};  // [group, capacity] its number in the block
    DeviceView<int> pool_count{};      // [group]
    DeviceView<float> limit{};         // [group] candidates above it are out
    Table<float> upper{};              // [group, capacity] scratch
    Table<Ranked> scratch{};           // [group, 2 capacity + 2 k]
    // The block of candidates at work.
    SeenView<double> block{};
    std::int64_t block_first = 0;
    DeviceView<float> block_norm2{};  // [m]
    DeviceView<float> block_base{};   // [m] |y|^2 less the rounding that y brings

    // Keeps the candidates whose lower bound does not exceed the k-th smallest upper bound.
    KOKKOS_FUNCTION void drop_hopeless(std::size_t g) const {
        const int count = pool_count(g);
        if (count < k) return;
        const float own = tiles.norm2(group_first + g);
        for (int i = 0; i < count; ++i) {
            const float sum = own + block_norm2(static_cast<std::size_t>(pool_index(g, i)));
            upper(g, i) = pool_bound(g, i) + 2 * (rounding.relative * sum + rounding.absolute);
        }
        const float kth = select_nth(&upper(g, 0), count, k - 1);
        limit(g) = Kokkos::min(limit(g), kth);
        int kept = 0;
        for (int i = 0; i < count; ++i)
            if (pool_bound(g, i) <= limit(g)) {
                pool_bound(g, kept) = pool_bound(g, i);
                pool_index(g, kept++) = pool_index(g, i);
            }
        pool_count(g) = kept;
    }

    // The limit that the list itself sets once it is full.
    KOKKOS_FUNCTION float limit_of_list(std::size_t row) const {
        if (found(row) < k) return FLT_MAX;
        const double own = tiles.norm2(row);
        const double kth = value((row + 1) * k - 1) * factor * factor;
        const double rounded_up = 0x1p-22 * (kth + own) + rounding.absolute;
        return static_cast<float>(
            Kokkos::min(kth - (1 - rounding.relative) * own + rounded_up, double{FLT_MAX}));
    }

    // Moves the pool into the list, by f64 distances.
    KOKKOS_FUNCTION void rank(std::size_t g) const {
        const std::size_t row = group_first + g;
        const int count = pool_count(g), known = found(row);
        const int kept = Kokkos::min(k, known + count);
        Ranked* fresh = &scratch(g, 0);
        Ranked* listed = fresh + capacity;
        Ranked* spare = listed + k;
        for (int i = 0; i < count; ++i) {
            const auto candidate = static_cast<std::size_t>(pool_index(g, i));
            fresh[i] = {
                squared_distance(&rows(row * columns), &block(candidate * columns), columns),
                block_first + static_cast<std::int64_t>(candidate)};
        }
        for (int i = 0; i < known; ++i) listed[i] = {value(row * k + i), index(row * k + i)};
        merge_sort(fresh, count, spare);
        merge_first(listed, known, fresh, count, kept, spare);
        for (int i = 0; i < kept; ++i) {
            value(row * k + i) = spare[i].value;
            index(row * k + i) = spare[i].index;
        }
        found(row) = kept;
        pool_count(g) = 0;
        limit(g) = Kokkos::min(limit(g), limit_of_list(row));
    }

    KOKKOS_FUNCTION void make_room(std::size_t g) const {
        drop_hopeless(g);
        if (pool_count(g) + chunk > capacity) rank(g);
    }

    // Takes a tile's row of products with candidates [first, first + width) of the block.
    KOKKOS_FUNCTION void offer(std::size_t g, const float* product, std::size_t first,
                               std::size_t width) const {
        const float* base = &block_base(first);
        const std::int64_t self = first_row + static_cast<std::int64_t>(group_first + g) -
                                  block_first - static_cast<std::int64_t>(first);
        for (std::size_t start = 0; start < width; start += chunk) {
            const std::size_t end = Kokkos::min(start + chunk, width);
            const float bar = limit(g);
            int passing = 0;
            for (std::size_t j = start; j < end; ++j) passing += base[j] + product[j] <= bar;
            if (passing == 0) continue;
            if (pool_count(g) + chunk > capacity) make_room(g);
            int count = pool_count(g);
            for (std::size_t j = start; j < end; ++j)
                if (base[j] + product[j] <= limit(g) && static_cast<std::int64_t>(j) != self) {
                    pool_bound(g, count) = base[j] + product[j];
                    pool_index(g, count++) = static_cast<std::int32_t>(first + j);
                }
            pool_count(g) = count;
        }
    }
};

}  // namespace

struct NeighbourSearch::State {
    Lists lists;
    Scaling scaling;
    std::span<std::int64_t> index;
    std::span<double> distance;
    std::size_t group_rows;
    DeviceView<float> products;  // [group, tile_columns]

    void search_group(const TileRows& candidates, std::size_t first, std::size_t count);
};

NeighbourSearch::NeighbourSearch(std::span<const double> rows, std::int64_t first_row,
                                 const Frame& frame, std::span<std::int64_t> index,
                                 std::span<double> distance) {
    const std::size_t columns = frame.centre.size(), n = rows.size() / columns;
    const int k = n == 0 ? 0 : static_cast<int>(index.size() / n);
    const Scaling scaling{DeviceView<double>("centre", columns),
                          std::exp2(-std::ceil(std::log2(frame.largest)))};
    Kokkos::deep_copy(scaling.centre, HostView<const double>(frame.centre.data(), columns));

    Lists lists{.columns = columns,
                .k = k,
                .first_row = first_row,
                .factor = scaling.factor,
                .rounding = RoundingBound(columns),
                .rows = on_device(rows),
                .tiles = {},
                .index = room_on_device(index),
                .value = room_on_device(distance),
                .found = DeviceView<int>("found", n)};
    lists.tiles = make_tile_rows(lists.rows, columns, scaling);
    const std::size_t group = std::min<std::size_t>(n, k <= 256 ? 512 : 128);
    lists.capacity = 2 * k + 4 * chunk;
    const auto capacity = static_cast<std::size_t>(lists.capacity);
    lists.pool_bound = Table<float>("pool_bound", group, capacity);
    lists.pool_index = Table<std::int32_t>("pool_index", group, capacity);
    lists.pool_count = DeviceView<int>("pool_count", group);
    lists.limit = DeviceView<float>("limit", group);
    lists.upper = Table<float>("upper", group, capacity);
    lists.scratch = Table<Ranked>(Kokkos::view_alloc(Kokkos::WithoutInitializing, "scratch"), group,
                                  2 * (capacity + static_cast<std::size_t>(k)));
    state_ = std::make_unique<State>(State{lists, scaling, index, distance, group,
                                           DeviceView<float>("products", group * tile_columns)});
}

NeighbourSearch::~NeighbourSearch() = default;

void NeighbourSearch::add(std::span<const double> candidates, std::int64_t first_row,
                          const std::function<void(std::size_t rows)>& done) {
    auto& lists = state_->lists;
    const std::size_t n = lists.found.extent(0);
    if (n == 0 || candidates.empty()) return;
    lists.block = on_device(candidates);
    lists.block_first = first_row;
    const auto tiles = make_tile_rows(lists.block, lists.columns, state_->scaling);
    const auto norm2 = tiles.norm2;
    const auto rounding = lists.rounding;
    const DeviceView<float> base("base", norm2.extent(0));
    for_each_row(
        "neighbours/base", norm2.extent(0), KOKKOS_LAMBDA(std::size_t j) {
            base(j) = (1 - rounding.relative) * norm2(j) - rounding.absolute;
        });
    lists.block_norm2 = norm2;
    lists.block_base = base;
    for (std::size_t first = 0; first < n; first += state_->group_rows) {
        const std::size_t count = std::min(state_->group_rows, n - first);
        state_->search_group(tiles, first, count);
        if (done) done(count);
    }
    Kokkos::fence();
}

void NeighbourSearch::State::search_group(const TileRows& candidates, std::size_t first,
                                          std::size_t count) {
    lists.group_first = first;
    const auto shared = lists;
    for_each_row(
        "neighbours/start", count, KOKKOS_LAMBDA(std::size_t g) {
            shared.pool_count(g) = 0;
            shared.limit(g) = shared.limit_of_list(shared.group_first + g);
        });
    const std::size_t total = candidates.norm2.extent(0);
    for (std::size_t start = 0; start < total; start += tile_columns) {
        const std::size_t width = std::min(tile_columns, total - start);
        Kokkos::fence();
        minus_two_products(&lists.tiles.values(first, 0), count, &candidates.values(start, 0),
                           width, lists.columns, products.data());
        const auto tile = products;
        for_each_row(
            "neighbours/filter", count,
            KOKKOS_LAMBDA(std::size_t g) { shared.offer(g, &tile(g * width), start, width); });
    }
    for_each_row(
        "neighbours/rank", count, KOKKOS_LAMBDA(std::size_t g) {
            shared.drop_hopeless(g);
            shared.rank(g);
        });
}

void NeighbourSearch::finish() {
    const auto value = state_->lists.value;
    for_each_row(
        "neighbours/root", value.extent(0),
        KOKKOS_LAMBDA(std::size_t i) { value(i) = Kokkos::sqrt(value(i)); });
    Kokkos::fence();
    copy_back(state_->lists.index, state_->index);
    copy_back(value, state_->distance);
}

}  // namespace nanoatlas::kernels::kokkos
