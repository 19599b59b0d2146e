#include "kernels/kokkos/fixed_point.hpp"

#include <algorithm>
#include <cmath>

namespace nanoatlas::kernels::kokkos {

FixedPoint::FixedPoint(double largest, std::int64_t rows) {
    // Sums of all rows stay below 2^62, and one value below 2^51, where rounding by adding works.
    int value_exponent = 0, rows_exponent = 0;
    std::frexp(largest, &value_exponent);
    std::frexp(static_cast<double>(rows), &rows_exponent);
    scale = std::ldexp(1.0, std::min(51, 62 - rows_exponent) - value_exponent);
}

}  // namespace nanoatlas::kernels::kokkos
