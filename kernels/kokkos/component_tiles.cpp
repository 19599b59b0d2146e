#include "kernels/kokkos/component_tiles.hpp"

#include <cfloat>
#include <cmath>

namespace nanoatlas::kernels::kokkos {
namespace {

constexpr int widest = tile_left > tile_right ? tile_left : tile_right;

// Positions of the rows: components that fill a tile stand in tiles of their own, filled up with
// -1; the others follow together.
std::vector<std::int32_t> positions(std::span<const std::int32_t> order,
                                    std::span<const std::int32_t> component, std::size_t components,
                                    std::size_t width) {
    std::vector<std::size_t> place(components), size(components);
    const auto of = [&](std::int32_t row) {
        return static_cast<std::size_t>(component[static_cast<std::size_t>(row)]);
    };
    for (const auto row : order) ++size[of(row)];
    const auto filled_up = [&](std::size_t rows) { return (rows + width - 1) / width * width; };
    std::size_t end = 0;
    for (std::size_t c = 0; c < size.size(); ++c) {
        place[c] = end;
        if (size[c] >= width) end += filled_up(size[c]);
    }
    std::size_t mixed = end;
    for (const auto rows : size)
        if (rows < width) end += rows;
    std::vector<std::int32_t> result(filled_up(end), -1);
    for (const auto row : order) result[size[of(row)] < width ? mixed++ : place[of(row)]++] = row;
    return result;
}

// Values, norms and boxes.
void fill(const ComponentTiles& tiles, const ReachableRows& all, const Scaling& scaling) {
    const std::size_t columns = tiles.values.columns;
    for_each_row(
        "hdbscan/tiles", tiles.count(), KOKKOS_LAMBDA(std::size_t t) {
            const std::size_t first = t * tiles.width();
            double norm2[widest] = {};
            for (std::size_t c = 0; c < columns; ++c) {
                float low = FLT_MAX, high = -FLT_MAX;
                for (std::size_t i = 0; i < tiles.width(); ++i) {
                    const auto row = tiles.row(first + i);
                    if (row < 0) continue;
                    const double centred =
                        tiles.rows(static_cast<std::size_t>(row) * columns + c) - scaling.centre(c);
                    const auto value = static_cast<float>(centred * scaling.factor);
                    tiles.values.at(first + i, c) = value;
                    norm2[i] += static_cast<double>(value) * static_cast<double>(value);
                    low = Kokkos::min(low, value);
                    high = Kokkos::max(high, value);
                }
                tiles.low(t * columns + c) = low;
                tiles.high(t * columns + c) = high;
            }
            float largest = 0;
            double core = DBL_MAX;
            std::int32_t component = -1;
            bool mixed = false;
            for (std::size_t i = 0; i < tiles.width(); ++i) {
                const auto row = tiles.row(first + i);
                if (row < 0) continue;
                const std::int64_t number = tiles.first_row + row;
                tiles.norm2(first + i) = static_cast<float>(norm2[i]);
                largest = Kokkos::max(largest, tiles.norm2(first + i));
                core = Kokkos::min(core, all.core(number));
                mixed = mixed || (component >= 0 && component != all.component(number));
                component = all.component(number);
            }
            tiles.largest_norm2(t) = largest;
            tiles.least_core(t) = core;
            tiles.component(t) = mixed ? -1 : component;
        });
}

// Products of the rows of a tile with a point.
template <int width>
KOKKOS_FUNCTION void products(const ComponentTiles& tiles, std::size_t tile, const float* point,
                              float (&sum)[width]) {
    const float* values = tiles.values.block(tile);
    for (auto& value : sum) value = 0;
    for (std::size_t c = 0; c < tiles.values.columns; ++c)
        for (int i = 0; i < width; ++i)
            sum[i] += values[c * width + static_cast<std::size_t>(i)] * point[c];
}

// Each product is off by at most relative (|x|^2 + |y|^2) / 2.
template <int width>
void measure_planes(const ComponentTiles& tiles, const Centres& centres) {
    const RoundingBound rounding(tiles.values.columns);
    const std::size_t count = centres.count(), columns = tiles.values.columns;
    for_each_row(
        "hdbscan/planes", tiles.count(), KOKKOS_LAMBDA(std::size_t t) {
            const auto component = tiles.component(t);
            const auto own = component < 0 ? -1 : centres.number(component);
            if (own < 0) return;
            const float slack =
                rounding.relative * (tiles.largest_norm2(t) + centres.largest_norm2) +
                rounding.absolute;
            float to_own[width], to_other[width];
            products<width>(tiles, t, &centres.mean(static_cast<std::size_t>(own) * columns),
                            to_own);
            for (std::size_t other = 0; other < count; ++other) {
                products<width>(tiles, t, &centres.mean(other * columns), to_other);
                float least = FLT_MAX;
                for (int i = 0; i < width; ++i) {
                    const float difference = to_own[i] - to_other[i];
                    const bool is_row = tiles.row(t * width + static_cast<std::size_t>(i)) >= 0;
                    least = Kokkos::min(least, is_row ? difference : FLT_MAX);
                }
                tiles.plane(t * count + other) = least - slack;
            }
        });
}

}  // namespace

Centres make_centres(std::span<const std::int32_t> number, std::span<const double> mean,
                     const Scaling& scaling) {
    const std::size_t columns = scaling.centre.extent(0), count = mean.size() / columns;
    Centres centres;
    centres.columns = columns;
    centres.mean = DeviceView<float>("mean", mean.size());
    centres.inverse_distance = DeviceView<float>("inverse_distance", count * count);
    centres.number = DeviceView<std::int32_t>("number", number.size());
    Kokkos::deep_copy(centres.number, HostView<const std::int32_t>(number.data(), number.size()));
    const auto given = on_device(mean);
    const auto made = centres;
    for_each_row(
        "hdbscan/centres", mean.size(), KOKKOS_LAMBDA(std::size_t i) {
            made.mean(i) =
                static_cast<float>((given(i) - scaling.centre(i % columns)) * scaling.factor);
        });
    for_each_row(
        "hdbscan/centre_distances", count * count, KOKKOS_LAMBDA(std::size_t pair) {
            const std::size_t a = pair / count, b = pair % count;
            double sum = 0;
            for (std::size_t c = 0; c < columns; ++c) {
                const double difference = static_cast<double>(made.mean(a * columns + c)) -
                                          static_cast<double>(made.mean(b * columns + c));
                sum += difference * difference;
            }
            made.inverse_distance(pair) =
                sum > 0 ? static_cast<float>((1 - 1e-6) / Kokkos::sqrt(sum)) : 0;
        });
    Kokkos::parallel_reduce(
        "hdbscan/largest_centre", Kokkos::RangePolicy<Execution>(0, count),
        KOKKOS_LAMBDA(const std::size_t a, float& largest) {
            float sum = 0;
            for (std::size_t c = 0; c < columns; ++c)
                sum += made.mean(a * columns + c) * made.mean(a * columns + c);
            largest = Kokkos::max(largest, sum);
        },
        Kokkos::Max<float>(centres.largest_norm2));
    if (count == 0) centres.largest_norm2 = 0;
    return centres;
}

ComponentTiles make_component_tiles(const SeenView<double>& rows, std::int64_t first_row,
                                    std::span<const std::int32_t> order, const ReachableRows& all,
                                    std::span<const std::int32_t> component, const Scaling& scaling,
                                    const Centres& centres, int width) {
    const auto w = static_cast<std::size_t>(width);
    const auto placed = positions(order, component, centres.number.extent(0), w);
    const std::size_t tiles = placed.size() / w, columns = scaling.centre.extent(0);
    const ComponentTiles made{.rows = rows,
                              .first_row = first_row,
                              .values = InterleavedRows(placed.size(), columns, width),
                              .row = DeviceView<std::int32_t>("row", placed.size()),
                              .norm2 = DeviceView<float>("norm2", placed.size()),
                              .component = DeviceView<std::int32_t>("component", tiles),
                              .low = DeviceView<float>("low", tiles * columns),
                              .high = DeviceView<float>("high", tiles * columns),
                              .largest_norm2 = DeviceView<float>("largest_norm2", tiles),
                              .least_core = DeviceView<double>("least_core", tiles),
                              .plane = DeviceView<float>("plane", tiles * centres.count())};
    Kokkos::deep_copy(made.row, HostView<const std::int32_t>(placed.data(), placed.size()));
    fill(made, all, scaling);
    if (width == tile_left)
        measure_planes<tile_left>(made, centres);
    else
        measure_planes<tile_right>(made, centres);
    Kokkos::fence();
    return made;
}

}  // namespace nanoatlas::kernels::kokkos
