// Values as whole numbers, of which as many as there are rows can be added up: sums are exact, so
// they depend on what is added and on nothing else, neither ranks nor threads nor the order.
#pragma once

#include <bit>
#include <cstdint>

namespace nanoatlas::kernels::kokkos {

struct FixedPoint {
    double scale;  ///< a power of two

    /// largest: no value is further from 0; rows: no more values are added up
    FixedPoint(double largest, std::int64_t rows);
    /// What one whole number more is worth.
    double unit() const { return 1 / scale; }

    /// The nearest to value * scale. On a device, too.
    constexpr std::int64_t whole(double value) const {
        // Next to the anchor doubles are 1 apart, so that the difference in bits is the number.
        constexpr double anchor = 0x1.8p52;
        return std::bit_cast<std::int64_t>(value * scale + anchor) -
               std::bit_cast<std::int64_t>(anchor);
    }
};

}  // namespace nanoatlas::kernels::kokkos
