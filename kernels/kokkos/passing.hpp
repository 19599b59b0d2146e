// Which of a panel of values pass a limit.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstddef>
#include <cstdint>

#include "kernels/kokkos/dot_tile.hpp"

#if defined(__AVX2__) && !defined(__CUDACC__)
#include <immintrin.h>
#endif

namespace nanoatlas::kernels::kokkos {

static_assert(tile_right == 32);

#if defined(__AVX512F__) && !defined(__CUDACC__)
using PassingLimits = __m512;
constexpr int passing_width = 16;
inline PassingLimits limits_at(const float* limits) {
    return _mm512_loadu_ps(limits);
}
inline PassingLimits same_limits(float limit) {
    return _mm512_set1_ps(limit);
}
inline std::uint32_t passing_few(const float* values, PassingLimits limits) {
    return _mm512_cmp_ps_mask(_mm512_loadu_ps(values), limits, _CMP_LE_OQ);
}
#elif defined(__AVX2__) && !defined(__CUDACC__)
using PassingLimits = __m256;
constexpr int passing_width = 8;
inline PassingLimits limits_at(const float* limits) {
    return _mm256_loadu_ps(limits);
}
inline PassingLimits same_limits(float limit) {
    return _mm256_set1_ps(limit);
}
inline std::uint32_t passing_few(const float* values, PassingLimits limits) {
    return static_cast<std::uint32_t>(
        _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(values), limits, _CMP_LE_OQ)));
}
#else
using PassingLimits = float;
constexpr int passing_width = 1;
KOKKOS_FORCEINLINE_FUNCTION float limits_at(const float* limits) {
    return *limits;
}
KOKKOS_FORCEINLINE_FUNCTION float same_limits(float limit) {
    return limit;
}
KOKKOS_FORCEINLINE_FUNCTION std::uint32_t passing_few(const float* values, float limit) {
    return static_cast<std::uint32_t>(*values <= limit);
}
#endif

/// Bit j: values[j] <= limit.
KOKKOS_FORCEINLINE_FUNCTION std::uint32_t passing(const float* values, float limit) {
    const PassingLimits limits = same_limits(limit);
    std::uint32_t bits = 0;
    for (int j = 0; j < tile_right; j += passing_width)
        bits |= passing_few(values + j, limits) << j;
    return bits;
}

/// Bit j: values[j] <= limits[j].
KOKKOS_FORCEINLINE_FUNCTION std::uint32_t passing_each(const float* values, const float* limits) {
    std::uint32_t bits = 0;
    for (int j = 0; j < tile_right; j += passing_width)
        bits |= passing_few(values + j, limits_at(limits + j)) << j;
    return bits;
}

}  // namespace nanoatlas::kernels::kokkos
