#include "kernels/kokkos/component_tiles.hpp"

#include <cfloat>
#include <cmath>

namespace nanoatlas::kernels::kokkos {
namespace {

// Positions of the rows: groups that fill a tile stand in tiles of their own, filled up with -1;
// the others follow together.
std::vector<std::int32_t> positions(std::span<const std::int32_t> order,
                                    std::span<const std::int32_t> group, std::size_t groups,
                                    std::size_t width) {
    std::vector<std::size_t> place(groups), size(groups);
    const auto of = [&](std::int32_t row) {
        return static_cast<std::size_t>(group[static_cast<std::size_t>(row)]);
    };
    for (const auto row : order) ++size[of(row)];
    const auto filled_up = [&](std::size_t rows) { return (rows + width - 1) / width * width; };
    std::size_t end = 0, mixed_rows = 0;
    for (std::size_t g = 0; g < groups; ++g) {
        place[g] = end;
        (size[g] >= width ? end : mixed_rows) += size[g] >= width ? filled_up(size[g]) : size[g];
    }
    std::size_t mixed = end;
    std::vector<std::int32_t> result(filled_up(end + mixed_rows), -1);
    for (const auto row : order) result[size[of(row)] < width ? mixed++ : place[of(row)]++] = row;
    return result;
}

// That of all the rows of a tile, or -1.
KOKKOS_FUNCTION std::int32_t common(const ComponentTiles& tiles, std::size_t tile,
                                    const SeenView<std::int32_t>& value) {
    std::int32_t known = -1;
    for (std::size_t i = 0; i < tiles.width(); ++i) {
        const auto row = tiles.row(tile * tiles.width() + i);
        if (row < 0) continue;
        const auto here = value(static_cast<std::size_t>(tiles.first_row + row));
        if (known >= 0 && here != known) return -1;
        known = here;
    }
    return known;
}

// Values, norms and boxes.
void fill(const ComponentTiles& tiles, const ReachableRows& all, const Scaling& scaling,
          const Centres& centres) {
    const std::size_t columns = tiles.values.columns;
    for_each_row(
        "hdbscan/tiles", tiles.count(), KOKKOS_LAMBDA(std::size_t t) {
            const std::size_t first = t * tiles.width();
            float* const low = &tiles.low(t * columns);
            float* const high = &tiles.high(t * columns);
            for (std::size_t c = 0; c < columns; ++c) {
                low[c] = FLT_MAX;
                high[c] = -FLT_MAX;
            }
            float largest = 0;
            double core = DBL_MAX;
            for (std::size_t i = 0; i < tiles.width(); ++i) {
                const auto row = tiles.row(first + i);
                if (row < 0) continue;
                const double* from = &tiles.rows(static_cast<std::size_t>(row) * columns);
                double norm2 = 0;
                for (std::size_t c = 0; c < columns; ++c) {
                    const auto value =
                        static_cast<float>((from[c] - scaling.centre(c)) * scaling.factor);
                    tiles.values.at(first + i, c) = value;
                    norm2 += static_cast<double>(value) * static_cast<double>(value);
                    low[c] = Kokkos::min(low[c], value);
                    high[c] = Kokkos::max(high[c], value);
                }
                tiles.norm2(first + i) = static_cast<float>(norm2);
                largest = Kokkos::max(largest, tiles.norm2(first + i));
                core = Kokkos::min(core, all.core(static_cast<std::size_t>(tiles.first_row + row)));
            }
            tiles.largest_norm2(t) = largest;
            tiles.least_core(t) = core;
            tiles.component(t) = common(tiles, t, all.component);
            const auto group = common(tiles, t, all.group);
            tiles.centre(t) = static_cast<std::size_t>(group) < centres.count ? group : -1;
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
    const std::size_t count = centres.count, columns = tiles.values.columns;
    for_each_row(
        "hdbscan/planes", tiles.count(), KOKKOS_LAMBDA(std::size_t t) {
            const auto own = tiles.centre(t);
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

Centres make_centres(std::span<const double> mean, const Scaling& scaling) {
    const std::size_t columns = scaling.centre.extent(0), count = mean.size() / columns;
    Centres centres;
    centres.count = count;
    centres.mean = DeviceView<float>("mean", mean.size());
    centres.inverse_distance = DeviceView<float>("inverse_distance", count * count);
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
                                    std::span<const std::int32_t> order,
                                    std::span<const std::int32_t> group, std::size_t groups,
                                    const ReachableRows& all, const Scaling& scaling,
                                    const Centres& centres, int width) {
    const auto w = static_cast<std::size_t>(width);
    const auto placed = positions(order, group, groups, w);
    const std::size_t tiles = placed.size() / w, columns = scaling.centre.extent(0);
    ComponentTiles made{.rows = rows,
                        .first_row = first_row,
                        .values = InterleavedRows(placed.size(), columns, width),
                        .row = DeviceView<std::int32_t>("row", placed.size()),
                        .norm2 = DeviceView<float>("norm2", placed.size()),
                        .component = DeviceView<std::int32_t>("component", tiles),
                        .centre = DeviceView<std::int32_t>("centre", tiles),
                        .low = DeviceView<float>("low", tiles * columns),
                        .high = DeviceView<float>("high", tiles * columns),
                        .largest_norm2 = DeviceView<float>("largest_norm2", tiles),
                        .least_core = DeviceView<double>("least_core", tiles),
                        .plane = DeviceView<float>("plane", tiles * centres.count)};
    Kokkos::deep_copy(made.row, HostView<const std::int32_t>(placed.data(), placed.size()));
    fill(made, all, scaling, centres);
    if (width == tile_left)
        measure_planes<tile_left>(made, centres);
    else
        measure_planes<tile_right>(made, centres);
    Kokkos::fence();
    return made;
}

}  // namespace nanoatlas::kernels::kokkos
