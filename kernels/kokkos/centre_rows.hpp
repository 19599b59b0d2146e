// Rows and centres laid out for the search for the nearest centre, in f32 with the bounds of their
// rounding, and what is known of them from one search to the next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/kokkos/neighbour_rows.hpp"
#include "kernels/kokkos/row_tile.hpp"
#include "kernels/kokkos/views.hpp"

namespace nanoatlas::kernels::kokkos::centre_search {

/// Centres of a panel.
constexpr std::size_t width = row_tile_width;
/// Terms summed in f32 at a stretch: a panel's part stays in the first cache.
constexpr std::size_t terms_at_once = 4096 / width;

/// Centres as the search sees them.
struct Centres {
    std::size_t count = 0, padded = 0;  ///< K, and with the last panel filled up
    SeenView<double> values;            // [K, columns]
    DeviceView<float> panels;           // [panels, columns, width] centred, scaled
    DeviceView<float> norm2;            // [padded] infinite beyond K
    DeviceView<float> step;             // [K] what a row of that cluster may lose of its lead
    float largest_norm2 = 0;
};

/// The rows, and what is known of each.
struct Rows {
    std::size_t count = 0, columns = 0, stride = 0;
    double factor = 1;
    RoundingBound rounding{0};
    SeenView<double> given;          // [n, columns]
    DeviceView<float> values;        // [n, stride] centred, scaled
    DeviceView<float> norm2;         // [n]
    DeviceView<float> lead;          // [n] how much nearer its centre is than any other, at least
    DeviceView<std::int32_t> label;  // [n]
};

/// given [n, columns]; without labels. frame: its centre on the device
Rows make_rows(std::span<const double> given, const Frame& frame, const DeviceView<double>& centre);

/// values [K, columns]; last: where they were before, empty at first
Centres make_centres(const Rows& rows, const DeviceView<double>& centre,
                     std::span<const double> values, std::span<const double> last);

}  // namespace nanoatlas::kernels::kokkos::centre_search
