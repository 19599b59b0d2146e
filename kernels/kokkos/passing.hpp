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

/// Bit j: values[j] <= limit.
KOKKOS_FORCEINLINE_FUNCTION std::uint32_t passing(const float* values, float limit) {
    std::uint32_t bits = 0;
#if defined(__AVX512F__) && !defined(__CUDACC__)
    const auto limits = _mm512_set1_ps(limit);
    for (int j = 0; j < tile_right; j += 16)
        bits |= std::uint32_t{_mm512_cmp_ps_mask(_mm512_loadu_ps(values + j), limits, _CMP_LE_OQ)}
                << j;
#elif defined(__AVX2__) && !defined(__CUDACC__)
    const auto limits = _mm256_set1_ps(limit);
    for (int j = 0; j < tile_right; j += 8)
        bits |= static_cast<std::uint32_t>(_mm256_movemask_ps(
                    _mm256_cmp_ps(_mm256_loadu_ps(values + j), limits, _CMP_LE_OQ)))
                << j;
#else
    for (int j = 0; j < tile_right; ++j)
        bits |= static_cast<std::uint32_t>(values[j] <= limit) << j;
#endif
    return bits;
}

}  // namespace nanoatlas::kernels::kokkos
