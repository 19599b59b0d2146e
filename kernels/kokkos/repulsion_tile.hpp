// What some heavy points do to the points of a leaf: the inner loop under t-SNE's repulsion.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstddef>
#include <cstring>

#include "kernels/kokkos/repulsion.hpp"

namespace nanoatlas::kernels::kokkos::repulsion_tile {

/// Sums of as many terms are of f32.
constexpr std::size_t room = 512;

/// Heavy points, D coordinates and a mass.
template <std::size_t D>
struct Sources {
    float at[D][room];
    float mass[room];
    std::size_t count = 0;
};

/// Of the points of a leaf: coordinates; forces and weights.
template <std::size_t D>
using Points = float[D][repulsion_leaf];
template <std::size_t D>
using Sums = float[D + 1][repulsion_leaf];

#if defined(__GNUC__) && !defined(__CUDACC__)

#if defined(__AVX512F__)
constexpr std::size_t register_floats = 16;
#else
constexpr std::size_t register_floats = 8;
#endif
using Register = float __attribute__((vector_size(register_floats * sizeof(float))));
static_assert(repulsion_leaf % (2 * register_floats) == 0);

/// Two registers of points. Its own function, so that sums stay in registers.
template <std::size_t D>
__attribute__((noinline)) void sum_in_registers(const Points<D>& points, std::size_t first,
                                                const Sources<D>& sources, Sums<D>& sums) {
    Register y[D][2], force[D][2], weight[2] = {Register{}, Register{}};
    for (std::size_t c = 0; c < D; ++c)
        for (std::size_t r = 0; r < 2; ++r) {
            std::memcpy(&y[c][r], &points[c][first + r * register_floats], sizeof(Register));
            force[c][r] = Register{};
        }
    for (std::size_t s = 0; s < sources.count; ++s)
#pragma GCC unroll 2
        for (std::size_t r = 0; r < 2; ++r) {
            Register difference[D], squared = Register{} + 1;
#pragma GCC unroll 3
            for (std::size_t c = 0; c < D; ++c) {
                difference[c] = y[c][r] - sources.at[c][s];
                squared += difference[c] * difference[c];
            }
            const Register q = 1 / squared, heavy = sources.mass[s] * q;
            weight[r] += heavy;
#pragma GCC unroll 3
            for (std::size_t c = 0; c < D; ++c) force[c][r] += heavy * q * difference[c];
        }
    for (std::size_t r = 0; r < 2; ++r) {
        for (std::size_t c = 0; c < D; ++c)
            std::memcpy(&sums[c][first + r * register_floats], &force[c][r], sizeof(Register));
        std::memcpy(&sums[D][first + r * register_floats], &weight[r], sizeof(Register));
    }
}

template <std::size_t D>
void sum_over(const Points<D>& points, const Sources<D>& sources, Sums<D>& sums) {
    for (std::size_t first = 0; first < repulsion_leaf; first += 2 * register_floats)
        sum_in_registers<D>(points, first, sources, sums);
}

#else

template <std::size_t D>
KOKKOS_FUNCTION void sum_over(const Points<D>& points, const Sources<D>& sources, Sums<D>& sums) {
    for (std::size_t t = 0; t < repulsion_leaf; ++t) {
        for (std::size_t c = 0; c <= D; ++c) sums[c][t] = 0;
        for (std::size_t s = 0; s < sources.count; ++s) {
            float difference[D], squared = 1;
            for (std::size_t c = 0; c < D; ++c) {
                difference[c] = points[c][t] - sources.at[c][s];
                squared += difference[c] * difference[c];
            }
            const float q = 1 / squared, heavy = sources.mass[s] * q;
            sums[D][t] += heavy;
            for (std::size_t c = 0; c < D; ++c) sums[c][t] += heavy * q * difference[c];
        }
    }
}

#endif

}  // namespace nanoatlas::kernels::kokkos::repulsion_tile
