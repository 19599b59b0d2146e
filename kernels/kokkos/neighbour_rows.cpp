#include "kernels/kokkos/neighbour_rows.hpp"

#include <cfloat>
#include <cmath>

namespace nanoatlas::kernels::kokkos {
namespace {

// Boxes and balls of one panel.
struct MeasurePanel {
    Block block;
    std::size_t columns;
    RoundingBound rounding;

    KOKKOS_FUNCTION void operator()(std::size_t p) const {
        const std::size_t first = p * tile_right;
        const std::size_t end = Kokkos::min(first + tile_right, block.tiles.count());
        float largest = 0;
        for (std::size_t i = first; i < end; ++i)
            largest = Kokkos::max(largest, block.tiles.norm2(i));
        block.norm2_at_most(p) = largest;
        const double centre2 = measure_columns(p, first, end);
        block.centre_base(p) =
            first < end ? static_cast<float>((1 - rounding.relative) * centre2) - rounding.absolute
                        : INFINITY;
        double farthest2 = 0;
        for (std::size_t i = first; i < end; ++i)
            farthest2 = Kokkos::max(farthest2, distance2_from_centre(p, i));
        // More than the rounding of rows to f32 and of this sum take away.
        block.radius(p) = static_cast<float>(
            1.000001 * (Kokkos::sqrt(farthest2) + 0x1p-23 * Kokkos::sqrt(double{largest})) +
            Kokkos::sqrt(double{rounding.absolute}));
    }

  private:
    // Returns |centre|^2.
    KOKKOS_FUNCTION double measure_columns(std::size_t p, std::size_t first,
                                           std::size_t end) const {
        double centre2 = 0;
        for (std::size_t c = 0; c < columns; ++c) {
            float low = FLT_MAX, high = -FLT_MAX, sum = 0;
            for (std::size_t i = first; i < end; ++i) {
                const float value = block.tiles.values.at(i, c);
                low = Kokkos::min(low, value);
                high = Kokkos::max(high, value);
                sum += value;
            }
            const float mean = first < end ? sum / static_cast<float>(end - first) : 0;
            const auto at = (p / tile_right * columns + c) * tile_right + p % tile_right;
            block.low(at) = low;
            block.high(at) = high;
            block.centre.at(p, c) = mean;
            centre2 += static_cast<double>(mean) * static_cast<double>(mean);
        }
        return centre2;
    }

    KOKKOS_FUNCTION double distance2_from_centre(std::size_t p, std::size_t i) const {
        double sum = 0;
        for (std::size_t c = 0; c < columns; ++c) {
            const double difference = static_cast<double>(block.tiles.values.at(i, c)) -
                                      static_cast<double>(block.centre.at(p, c));
            sum += difference * difference;
        }
        return sum;
    }
};

// The box around each shelf, the mean of its panels, the largest norm on it.
void measure_shelves(const Block& block, std::size_t columns) {
    const std::size_t panels = (block.tiles.count() + tile_right - 1) / tile_right;
    const std::size_t shelves = block.shelves();
    for_each_row(
        "neighbours/shelves", shelves, KOKKOS_LAMBDA(std::size_t s) {
            const std::size_t first = s * tile_right;
            const std::size_t count = Kokkos::min<std::size_t>(tile_right, panels - first);
            for (std::size_t c = 0; c < columns; ++c) {
                float low = FLT_MAX, high = -FLT_MAX, sum = 0;
                for (std::size_t p = 0; p < count; ++p) {
                    const auto at = (s * columns + c) * tile_right + p;
                    low = Kokkos::min(low, block.low(at));
                    high = Kokkos::max(high, block.high(at));
                    sum += block.centre.at(first + p, c);
                }
                block.shelf_low(c * shelves + s) = low;
                block.shelf_high(c * shelves + s) = high;
                block.shelf_mean(c * shelves + s) = sum / static_cast<float>(count);
            }
            float largest = 0;
            for (std::size_t p = 0; p < count; ++p)
                largest = Kokkos::max(largest, block.norm2_at_most(first + p));
            block.shelf_norm2_at_most(s) = largest;
        });
}

void measure(Block& block, std::size_t columns, const RoundingBound& rounding) {
    const std::size_t panels = (block.tiles.count() + tile_right - 1) / tile_right;
    const std::size_t shelves = (panels + tile_right - 1) / tile_right;
    const std::size_t room = shelves * tile_right;
    block.centre = InterleavedRows(room, columns, tile_right);
    block.centre_base = DeviceView<float>("centre_base", room);
    block.radius = DeviceView<float>("radius", room);
    block.low = DeviceView<float>("low", room * columns);
    block.high = DeviceView<float>("high", room * columns);
    block.norm2_at_most = DeviceView<float>("norm2_at_most", room);
    block.shelf_low = DeviceView<float>("shelf_low", columns * shelves);
    block.shelf_high = DeviceView<float>("shelf_high", columns * shelves);
    block.shelf_mean = DeviceView<float>("shelf_mean", columns * shelves);
    block.shelf_norm2_at_most = DeviceView<float>("shelf_norm2_at_most", shelves);
    for_each_row("neighbours/panels", room, MeasurePanel{block, columns, rounding});
    measure_shelves(block, columns);
}

// Where each searcher stands among the candidates.
DeviceView<std::int32_t> find_selves(const Searchers& own, const Block& block,
                                     std::span<const std::int32_t> order) {
    std::vector<std::int32_t> position(order.size());
    for (std::size_t p = 0; p < order.size(); ++p)
        position[static_cast<std::size_t>(order[p])] = static_cast<std::int32_t>(p);
    const auto position_of = on_device(std::span<const std::int32_t>(position));
    DeviceView<std::int32_t> self("self", own.tiles.count());
    const auto tiles = own.tiles;
    const std::int64_t offset = own.first_row - block.first_row;
    const auto m = static_cast<std::int64_t>(order.size());
    for_each_row(
        "neighbours/selves", own.tiles.count(), KOKKOS_LAMBDA(std::size_t p) {
            const std::int64_t candidate = offset + tiles.order(p);
            self(p) = candidate >= 0 && candidate < m ? position_of(candidate) : -1;
        });
    Kokkos::fence();
    return self;
}

}  // namespace

Scaling scaling_of(const Frame& frame) {
    const std::size_t columns = frame.centre.size();
    const Scaling scaling{DeviceView<double>("centre", columns),
                          std::exp2(-std::ceil(std::log2(frame.largest)))};
    Kokkos::deep_copy(scaling.centre, HostView<const double>(frame.centre.data(), columns));
    return scaling;
}

TileRows make_tile_rows(const SeenView<double>& rows, std::span<const std::int32_t> order,
                        const Scaling& scaling, int width) {
    const std::size_t n = order.size(), columns = scaling.centre.extent(0);
    TileRows made{InterleavedRows(n, columns, width), DeviceView<float>("norm2", n),
                  DeviceView<std::int32_t>("order", n)};
    Kokkos::deep_copy(made.order, HostView<const std::int32_t>(order.data(), n));
    for_each_row(
        "neighbours/tile_rows", n, KOKKOS_LAMBDA(std::size_t position) {
            const auto row = static_cast<std::size_t>(made.order(position));
            double sum = 0;
            for (std::size_t c = 0; c < columns; ++c) {
                const double centred = rows(row * columns + c) - scaling.centre(c);
                const auto value = static_cast<float>(centred * scaling.factor);
                made.values.at(position, c) = value;
                sum += static_cast<double>(value) * static_cast<double>(value);
            }
            made.norm2(position) = static_cast<float>(sum);
        });
    return made;
}

Block make_block(const Searchers& own, const Scaling& scaling, std::span<const double> rows,
                 std::span<const std::int32_t> order, std::int64_t first_row) {
    Block block;
    block.rows = on_device(rows);
    block.first_row = first_row;
    block.tiles = make_tile_rows(block.rows, order, scaling, tile_right);
    block.self = find_selves(own, block, order);
    measure(block, own.columns, own.rounding);
    const auto norm2 = block.tiles.norm2;
    const auto rounding = own.rounding;
    const DeviceView<float> base("base",
                                 (norm2.extent(0) + tile_right - 1) / tile_right * tile_right);
    for_each_row(
        "neighbours/base", base.extent(0), KOKKOS_LAMBDA(std::size_t j) {
            base(j) = j < norm2.extent(0) ? (1 - rounding.relative) * norm2(j) - rounding.absolute
                                          : INFINITY;
        });
    block.base = base;
    return block;
}

}  // namespace nanoatlas::kernels::kokkos
