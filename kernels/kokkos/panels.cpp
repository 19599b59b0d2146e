#include "kernels/kokkos/panels.hpp"

#include <cfloat>
#include <cmath>

namespace nanoatlas::kernels::kokkos {
namespace {

// Boxes and balls of one panel.
struct MeasurePanel {
    Panels panels;
    PlacedRows placed;
    TileRounding rounding;

    KOKKOS_FUNCTION void operator()(std::size_t p) const {
        const std::size_t first = p * tile_right;
        const std::size_t end = Kokkos::min(first + tile_right, placed.count());
        float largest = 0;
        for (std::size_t i = first; i < end; ++i) largest = Kokkos::max(largest, placed.norm2(i));
        panels.norm2_at_most(p) = largest;
        const double centre2 = measure_columns(p, first, end);
        panels.centre_base(p) =
            first < end ? static_cast<float>((1 - rounding.relative) * centre2) - rounding.absolute
                        : INFINITY;
        double farthest2 = 0;
        for (std::size_t i = first; i < end; ++i)
            farthest2 = Kokkos::max(farthest2, distance2_from_centre(p, i));
        // More than the displacement of rows and the rounding of this sum take away.
        panels.radius(p) =
            static_cast<float>(1.000001 * (Kokkos::sqrt(farthest2) +
                                           rounding.displacement * Kokkos::sqrt(double{largest})) +
                               Kokkos::sqrt(double{rounding.absolute}));
    }

  private:
    // Returns |centre|^2.
    KOKKOS_FUNCTION double measure_columns(std::size_t p, std::size_t first,
                                           std::size_t end) const {
        double centre2 = 0;
        for (std::size_t c = 0; c < panels.columns(); ++c) {
            float low = FLT_MAX, high = -FLT_MAX, sum = 0;
            for (std::size_t i = first; i < end; ++i) {
                const float value = panels.values.at(i, c);
                low = Kokkos::min(low, value);
                high = Kokkos::max(high, value);
                sum += value;
            }
            const float mean = first < end ? sum / static_cast<float>(end - first) : 0;
            const auto at = (p / tile_right * panels.columns() + c) * tile_right + p % tile_right;
            panels.low(at) = low;
            panels.high(at) = high;
            panels.centre.at(p, c) = mean;
            centre2 += static_cast<double>(mean) * static_cast<double>(mean);
        }
        return centre2;
    }

    KOKKOS_FUNCTION double distance2_from_centre(std::size_t p, std::size_t i) const {
        double sum = 0;
        for (std::size_t c = 0; c < panels.columns(); ++c) {
            const double difference = static_cast<double>(panels.values.at(i, c)) -
                                      static_cast<double>(panels.centre.at(p, c));
            sum += difference * difference;
        }
        return sum;
    }
};

// The box around each shelf, the mean of its panels, the largest norm on it.
void measure_shelves(const Panels& panels) {
    const std::size_t shelves = panels.shelves(), columns = panels.columns();
    for_each_row(
        "neighbours/shelves", shelves, KOKKOS_LAMBDA(std::size_t s) {
            const std::size_t first = s * tile_right;
            const std::size_t count = Kokkos::min<std::size_t>(tile_right, panels.count() - first);
            for (std::size_t c = 0; c < columns; ++c) {
                float low = FLT_MAX, high = -FLT_MAX, sum = 0;
                for (std::size_t p = 0; p < count; ++p) {
                    const auto at = (s * columns + c) * tile_right + p;
                    low = Kokkos::min(low, panels.low(at));
                    high = Kokkos::max(high, panels.high(at));
                    sum += panels.centre.at(first + p, c);
                }
                panels.shelf_low(c * shelves + s) = low;
                panels.shelf_high(c * shelves + s) = high;
                panels.shelf_mean(c * shelves + s) = sum / static_cast<float>(count);
            }
            float largest = 0;
            for (std::size_t p = 0; p < count; ++p)
                largest = Kokkos::max(largest, panels.norm2_at_most(first + p));
            panels.shelf_norm2_at_most(s) = largest;
        });
}

}  // namespace

Panels make_panels(const PlacedRows& placed, const InterleavedRows& values,
                   const TileRounding& rounding) {
    const std::size_t columns = values.columns;
    const std::size_t count = (placed.count() + tile_right - 1) / tile_right;
    const std::size_t shelves = (count + tile_right - 1) / tile_right;
    const std::size_t room = shelves * tile_right;
    Panels panels;
    panels.values = values;
    panels.rows = placed.count();
    panels.centre = InterleavedRows(room, columns, tile_right);
    panels.centre_base = DeviceView<float>("centre_base", room);
    panels.radius = DeviceView<float>("radius", room);
    panels.low = DeviceView<float>("low", room * columns);
    panels.high = DeviceView<float>("high", room * columns);
    panels.norm2_at_most = DeviceView<float>("norm2_at_most", room);
    panels.shelf_low = DeviceView<float>("shelf_low", columns * shelves);
    panels.shelf_high = DeviceView<float>("shelf_high", columns * shelves);
    panels.shelf_mean = DeviceView<float>("shelf_mean", columns * shelves);
    panels.shelf_norm2_at_most = DeviceView<float>("shelf_norm2_at_most", shelves);
    for_each_row("neighbours/panels", room, MeasurePanel{panels, placed, rounding});
    measure_shelves(panels);
    Kokkos::fence();
    return panels;
}

}  // namespace nanoatlas::kernels::kokkos
