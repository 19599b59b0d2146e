// Products of a panel of rows with another in whole numbers of 16 bits: exact, and on AVX2 twice as
// many a cycle as in f32.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__AVX2__) && !defined(__CUDACC__)
#include <immintrin.h>
#endif

namespace nanoatlas::kernels::kokkos {

/// Rows of a strip, on both sides of a tile: as a strip is laid out, a pair of columns fills a line
/// of the cache.
constexpr int short_strip = 16;

#if defined(__AVX2__) && !defined(__CUDACC__)

#if defined(__AVX512BW__)
constexpr int short_register_sums = 16, short_registers = 1;
#else
constexpr int short_register_sums = 8, short_registers = 2;
#endif
static_assert(short_strip == short_registers * short_register_sums);

using ShortSums [[gnu::vector_size(short_register_sums * sizeof(std::int32_t)), gnu::may_alias]] =
    std::int32_t;

/// A pair of columns of one row, times that of each of a register's rows.
inline ShortSums add_pair_products(ShortSums sum, std::int32_t left, ShortSums right) {
#if defined(__AVX512VNNI__) && defined(__AVX512BW__)
    return reinterpret_cast<ShortSums>(_mm512_dpwssd_epi32(
        reinterpret_cast<__m512i>(sum), _mm512_set1_epi32(left), reinterpret_cast<__m512i>(right)));
#elif defined(__AVX512BW__)
    return sum + reinterpret_cast<ShortSums>(
                     _mm512_madd_epi16(_mm512_set1_epi32(left), reinterpret_cast<__m512i>(right)));
#else
    return sum + reinterpret_cast<ShortSums>(
                     _mm256_madd_epi16(_mm256_set1_epi32(left), reinterpret_cast<__m256i>(right)));
#endif
}

/// The part of a tile whose sums fit the registers. Its own function, so that they stay there.
/// What they are added to, if anything, comes from the second cache or beyond, meanwhile.
template <int rows, bool adds>
[[gnu::noinline]] void short_products_in_registers(const std::int16_t* left,
                                                   const std::int16_t* right, std::size_t pairs,
                                                   std::int32_t* sums) {
    ShortSums sum[rows][short_registers];
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
        if constexpr (adds) __builtin_prefetch(sums + i * short_strip, 1);
        for (int r = 0; r < short_registers; ++r) sum[i][r] = ShortSums{};
    }
#pragma GCC unroll 4
    for (std::size_t p = 0; p < pairs; ++p, left += 2 * short_strip, right += 2 * short_strip) {
        ShortSums here[short_registers];
        for (int r = 0; r < short_registers; ++r) {
            std::memcpy(&here[r], right + 2 * r * short_register_sums, sizeof(ShortSums));
            asm("" : "+x"(here[r]));  // or each product would load it again
        }
#pragma GCC unroll 16
        for (int i = 0; i < rows; ++i) {
            std::int32_t pair;
            std::memcpy(&pair, left + 2 * i, sizeof pair);
            for (int r = 0; r < short_registers; ++r)
                sum[i][r] = add_pair_products(sum[i][r], pair, here[r]);
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i)
        for (int r = 0; r < short_registers; ++r) {
            std::int32_t* to = sums + i * short_strip + r * short_register_sums;
            if constexpr (adds) {
                ShortSums before;
                std::memcpy(&before, to, sizeof before);
                sum[i][r] += before;
            }
            std::memcpy(to, &sum[i][r], sizeof(ShortSums));
        }
}

/// So many pairs of columns of a strip will be wanted soon; they need not exist.
inline void fetch_short_pairs(const std::int16_t* from, std::size_t pairs) {
    for (std::size_t p = 0; p < pairs; ++p) __builtin_prefetch(from + p * 2 * short_strip);
}

/// sums[i][j] = the sum over pairs p and h of left[p][i][h] * right[p][j][h], added to what is
/// there or instead of it.
template <bool adds>
void short_products(const std::int16_t* left, const std::int16_t* right, std::size_t pairs,
                    std::int32_t* sums) {
#if defined(__AVX512BW__)
    short_products_in_registers<16, adds>(left, right, pairs, sums);
#else  // 10 or 12 of 16 registers hold sums: fewer loads for a product than with 8
    short_products_in_registers<6, adds>(left, right, pairs, sums);
    short_products_in_registers<5, adds>(left + 2 * 6, right, pairs, sums + 6 * short_strip);
    short_products_in_registers<5, adds>(left + 2 * 11, right, pairs, sums + 11 * short_strip);
#endif
}

#else

KOKKOS_FUNCTION inline void fetch_short_pairs(const std::int16_t*, std::size_t) {}

/// sums[i][j] = the sum over pairs p and h of left[p][i][h] * right[p][j][h], added to what is
/// there or instead of it.
template <bool adds>
KOKKOS_FUNCTION void short_products(const std::int16_t* left, const std::int16_t* right,
                                    std::size_t pairs, std::int32_t* sums) {
    if (!adds)
        for (int i = 0; i < short_strip * short_strip; ++i) sums[i] = 0;
    for (std::size_t p = 0; p < pairs; ++p, left += 2 * short_strip, right += 2 * short_strip)
        for (int i = 0; i < short_strip; ++i)
            for (int j = 0; j < short_strip; ++j)
                sums[i * short_strip + j] +=
                    left[2 * i] * right[2 * j] + left[2 * i + 1] * right[2 * j + 1];
}

#endif

}  // namespace nanoatlas::kernels::kokkos
