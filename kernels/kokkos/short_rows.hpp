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
    DeviceView<std::int16_t> values;  // [strips, stride, width, 2], filled up with 0
    DeviceView<float> step;           // by position, up to the end of the last whole panel
    std::size_t pairs = 0;
    std::size_t stride = 0;  // pairs from one strip to the next
    int width = 0;
    float error = 0;  // of no row is |row - rounded row| above error * |row|

    KOKKOS_FUNCTION const std::int16_t* strip(std::size_t number) const {
        return values.data() + number * stride * 2 * static_cast<std::size_t>(width);
    }
};

/// width: short_strip for tiles, 1 for rows one after the other
ShortRows make_short_rows(const PlacedRows& placed, const Scaling& scaling, int width);

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
