// Rows rounded to whole numbers of 16 bits, each row with a step of its own.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/kokkos/neighbour_rows.hpp"
#include "kernels/kokkos/short_tile.hpp"
#include "kernels/kokkos/views.hpp"

namespace nanoatlas::kernels::kokkos {

/// A value is step(position) times its whole number. Steps are such that the sum of the products of
/// two rows fits 32 bits: |numbers| <= 46340 for each row (Cauchy and Schwarz).
struct ShortRows {
    SeenView<std::int16_t> values;   // [strips, stride, width, 2] by row, filled up with 0
    DeviceView<std::int32_t> order;  // row of a position
    DeviceView<float> step;          // by position, up to the end of the last whole panel
    std::size_t pairs = 0;
    std::size_t stride = 0;  // pairs from one strip to the next
    float error = 0;         // of no row is |row - rounded row| above error * |row|

    /// Of short_strip rows, which have to be in order.
    KOKKOS_FUNCTION const std::int16_t* strip(std::size_t number) const {
        return values.data() + number * stride * 2 * short_strip;
    }
    /// Of rows one after the other.
    KOKKOS_FUNCTION const std::int16_t* row(std::size_t position) const {
        return values.data() + static_cast<std::size_t>(order(position)) * stride * 2;
    }
};

ShortRows short_rows(const PlacedRows& placed, const LayoutView& layout,
                     const LayoutWidths& widths);

/// Numbers from one row to the next. width: short_strip for tiles, 1 for rows one after the other
std::size_t numbers_of_row(std::size_t columns, int width);

/// All that a layout holds of wide rows but order and leading parts.
void round_rows(std::span<const double> rows, const Scaling& scaling, const LayoutWidths& widths,
                Layout& layout);

/// Of |x|^2 + |y|^2 - 2 product: with e the errors of the two sides, the product is off by at most
/// (e + e' + e e') |x| |y|, and f32 adds a few u. A row of norm below 2^-70 counts as 0, which
/// moves it by |x| |y| <= (2^-20 |y|^2 + 2^20 |x|^2) / 2.
inline RoundingBound short_rounding(const ShortRows& a, const ShortRows& b) {
    return {1.001F * (a.error + b.error + a.error * b.error) + 0x1p-18F,
            static_cast<float>(2 * a.pairs + 4) * 0x1p-120F};
}

/// The product of two rows of width 1.
KOKKOS_INLINE_FUNCTION std::int32_t short_product(const std::int16_t* a, const std::int16_t* b,
                                                  std::size_t count) {
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < count; ++i)
        sum += static_cast<std::int32_t>(a[i]) * static_cast<std::int32_t>(b[i]);
    return sum;
}

}  // namespace nanoatlas::kernels::kokkos
