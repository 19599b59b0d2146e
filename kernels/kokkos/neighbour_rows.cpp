#include "kernels/kokkos/neighbour_rows.hpp"

#include <cfloat>
#include <cmath>

#include "kernels/kokkos/space_order.hpp"

namespace nanoatlas::kernels::kokkos {
namespace {

// The box around each panel, and the largest norm in it.
void measure_panels(Block& block, std::size_t columns) {
    const std::size_t m = block.tiles.count(), panels = (m + tile_right - 1) / tile_right;
    block.low = DeviceView<float>("low", columns * panels);
    block.high = DeviceView<float>("high", columns * panels);
    block.largest_norm2 = DeviceView<float>("largest_norm2", panels);
    const auto measured = block;
    for_each_row(
        "neighbours/panels", panels, KOKKOS_LAMBDA(std::size_t p) {
            const std::size_t first = p * tile_right;
            const std::size_t end = Kokkos::min(first + tile_right, m);
            for (std::size_t c = 0; c < columns; ++c) {
                float low = FLT_MAX, high = -FLT_MAX;
                for (std::size_t i = first; i < end; ++i) {
                    low = Kokkos::min(low, measured.tiles.values.at(i, c));
                    high = Kokkos::max(high, measured.tiles.values.at(i, c));
                }
                measured.low(c * panels + p) = low;
                measured.high(c * panels + p) = high;
            }
            float largest = 0;
            for (std::size_t i = first; i < end; ++i)
                largest = Kokkos::max(largest, measured.tiles.norm2(i));
            measured.largest_norm2(p) = largest;
        });
}

// Where each searcher stands among the candidates.
DeviceView<std::int32_t> find_selves(const Searchers& own, const Block& block,
                                     const std::vector<std::int32_t>& order) {
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

TileRows make_tile_rows(const SeenView<double>& rows, const std::vector<std::int32_t>& order,
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
                 std::int64_t first_row) {
    const auto order = space_order(rows, own.columns, tile_right);
    Block block;
    block.rows = on_device(rows);
    block.first_row = first_row;
    block.tiles = make_tile_rows(block.rows, order, scaling, tile_right);
    block.self = find_selves(own, block, order);
    measure_panels(block, own.columns);
    const DeviceView<float> base("base", block.panels() * tile_right);
    const auto norm2 = block.tiles.norm2;
    const auto rounding = own.rounding;
    for_each_row(
        "neighbours/base", base.extent(0), KOKKOS_LAMBDA(std::size_t j) {
            base(j) = j < norm2.extent(0) ? (1 - rounding.relative) * norm2(j) - rounding.absolute
                                          : INFINITY;
        });
    block.base = base;
    return block;
}

}  // namespace nanoatlas::kernels::kokkos
