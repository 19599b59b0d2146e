// The squared distance of two rows in f64.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstddef>

namespace nanoatlas::kernels::kokkos {

/// From the original differences, summed in eight lanes: the same bits wherever a pair is met.
KOKKOS_INLINE_FUNCTION double squared_distance(const double* a, const double* b,
                                               std::size_t columns) {
    constexpr std::size_t lanes = 8;
    double sums[lanes] = {};
    std::size_t c = 0;
    for (; c + lanes <= columns; c += lanes)
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            const double difference = a[c + lane] - b[c + lane];
            sums[lane] += difference * difference;
        }
    for (std::size_t lane = 0; c < columns; ++c, ++lane) {
        const double difference = a[c] - b[c];
        sums[lane] += difference * difference;
    }
    return ((sums[0] + sums[4]) + (sums[1] + sums[5])) +
           ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

}  // namespace nanoatlas::kernels::kokkos
