// The squared distance of two rows in f64, on host and device.
#pragma once

#include <cstddef>

namespace nanoatlas::kernels::kokkos {

/// From the original differences in f64, summed in eight lanes: the same bits wherever a pair is
/// met, and where either row is in f32 because that holds its values.
template <class A, class B>
constexpr double squared_distance(const A* a, const B* b, std::size_t columns) {
    constexpr std::size_t lanes = 8;
    double sums[lanes] = {};
    std::size_t c = 0;
    for (; c + lanes <= columns; c += lanes)
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            const double difference = double{a[c + lane]} - double{b[c + lane]};
            sums[lane] += difference * difference;
        }
    for (std::size_t lane = 0; c < columns; ++c, ++lane) {
        const double difference = double{a[c]} - double{b[c]};
        sums[lane] += difference * difference;
    }
    return ((sums[0] + sums[4]) + (sums[1] + sums[5])) +
           ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

#if defined(__AVX__) && !defined(__CUDACC__)

/// The same of one row and others, whose memory is then waited for together.
template <int count, class A, class B>
void squared_distances(const A* a, const B* const (&b)[count], std::size_t columns,
                       double (&squared)[count]) {
    constexpr std::size_t lanes = 8;
    using Lanes = double __attribute__((vector_size(lanes / 2 * sizeof(double))));
    const auto lanes_at = [](const auto* from) {
        Lanes values;
        for (std::size_t lane = 0; lane < lanes / 2; ++lane) values[lane] = from[lane];
        return values;
    };
    Lanes near[count] = {}, far[count] = {};
    std::size_t c = 0;
    for (; c + lanes <= columns; c += lanes) {
        const Lanes near_a = lanes_at(a + c), far_a = lanes_at(a + c + lanes / 2);
#pragma GCC unroll 4
        for (int r = 0; r < count; ++r) {
            const Lanes near_apart = near_a - lanes_at(b[r] + c);
            const Lanes far_apart = far_a - lanes_at(b[r] + c + lanes / 2);
            near[r] += near_apart * near_apart;
            far[r] += far_apart * far_apart;
        }
    }
    for (std::size_t lane = 0; c < columns; ++c, ++lane)
        for (int r = 0; r < count; ++r) {
            const double apart = double{a[c]} - double{b[r][c]};
            (lane < lanes / 2 ? near : far)[r][lane % (lanes / 2)] += apart * apart;
        }
    for (int r = 0; r < count; ++r) {
        const Lanes sums = near[r] + far[r];
        squared[r] = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    }
}

#else

template <int count, class A, class B>
constexpr void squared_distances(const A* a, const B* const (&b)[count], std::size_t columns,
                                 double (&squared)[count]) {
    for (int r = 0; r < count; ++r) squared[r] = squared_distance(a, b[r], columns);
}

#endif

}  // namespace nanoatlas::kernels::kokkos
