// A tile of sums of outer products that stays in registers: the inner loop of our own convolutions.
//
// A step takes what one register lane multiplies at once: an f32 value, or two bf16 values of
// neighbouring pixels whose products are summed in f32.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>

#include "kernels/onednn/element.hpp"

#if defined(__AVX512BF16__)
#include <immintrin.h>
#endif

namespace nanoatlas::kernels::onednn {

#if defined(__AVX512F__)
constexpr int tile_lanes = 16, tile_rows = 12;  // 24 of 32 registers hold sums
#else
constexpr int tile_lanes = 8, tile_rows = 6;  // 12 of 16
#endif
constexpr int tile_vectors = 2;
constexpr int tile_columns = tile_vectors * tile_lanes;

using TileLanes = float __attribute__((vector_size(tile_lanes * sizeof(float))));

/// What is multiplied in a lane: one f32.
struct SinglePixel {
    using Element = float;
    using Unit = float;
    static constexpr int pixels = 1;

    using Vector = TileLanes;
    static TileLanes multiply_add(TileLanes sum, Unit left, Vector right) {
        return sum + left * right;
    }
};

/// Two bf16 of neighbouring pixels, the earlier one in the lower half.
struct PixelPair {
    using Element = BFloat16;
    using Unit = std::uint32_t;
    static constexpr int pixels = 2;

    using Vector = std::uint32_t __attribute__((vector_size(tile_lanes * sizeof(std::uint32_t))));
    static TileLanes multiply_add(TileLanes sum, Unit left, Vector right) {
#if defined(__AVX512BF16__)
        return std::bit_cast<TileLanes>(
            _mm512_dpbf16_ps(std::bit_cast<__m512>(sum),
                             std::bit_cast<__m512bh>(_mm512_set1_epi32(static_cast<int>(left))),
                             std::bit_cast<__m512bh>(right)));
#else
        const auto late = std::bit_cast<float>(left & 0xFFFF0000U);
        const auto early = std::bit_cast<float>(left << 16);
        return sum + late * std::bit_cast<TileLanes>(right & 0xFFFF0000U) +
               early * std::bit_cast<TileLanes>(right << 16);
#endif
    }
};

/// Where the steps of a tile's sums lie: groups of runs of equal length.
template <class Kind>
struct TileSteps {
    const typename Kind::Unit* left;               ///< rows of the tile, adjacent
    const typename Kind::Unit* right;              ///< columns of the tile, adjacent
    std::int64_t left_step, left_run, left_group;  ///< distances on the left [units]
    std::int64_t right_step;  ///< on the right, where runs and groups follow each other
    std::int64_t steps, runs, groups;
};

/// sums [rows, vectors * tile_lanes] += sum over steps of left[row] * right[column].
/// Its own function, so that the compiler keeps the sums in registers.
template <class Kind, int rows, int vectors>
__attribute__((noinline)) void add_products(const TileSteps<Kind>& by, float* sums) {
    TileLanes held[rows][vectors];  // copied one by one: as a whole it would stay in memory
#pragma GCC unroll 12
    for (int row = 0; row < rows; ++row)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; ++v)
            std::memcpy(&held[row][v], sums + (row * vectors + v) * tile_lanes, sizeof(TileLanes));
    const auto* right = by.right;
    for (std::int64_t group = 0; group < by.groups; ++group)
        for (std::int64_t run = 0; run < by.runs; ++run) {
            const auto* left = by.left + group * by.left_group + run * by.left_run;
            for (std::int64_t step = 0; step < by.steps; ++step) {
                typename Kind::Vector columns[vectors];
                for (int v = 0; v < vectors; ++v)
                    std::memcpy(&columns[v], right + v * tile_lanes, sizeof columns[v]);
#pragma GCC unroll 12
                for (int row = 0; row < rows; ++row)
#pragma GCC unroll 2
                    for (int v = 0; v < vectors; ++v)
                        held[row][v] = Kind::multiply_add(held[row][v], left[row], columns[v]);
                left += by.left_step;
                right += by.right_step;
            }
        }
#pragma GCC unroll 12
    for (int row = 0; row < rows; ++row)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; ++v)
            std::memcpy(sums + (row * vectors + v) * tile_lanes, &held[row][v], sizeof(TileLanes));
}

template <class Kind>
using TileFunction = void (*)(const TileSteps<Kind>&, float*);

/// add_products() for a number of rows in [1, tile_rows] and of vectors in [1, tile_vectors].
template <class Kind>
TileFunction<Kind> tile_function(int rows, int vectors) {
    constexpr auto table = []<int... i>(std::integer_sequence<int, i...>) {
        return std::array<TileFunction<Kind>, sizeof...(i)>{
            add_products<Kind, i / tile_vectors + 1, i % tile_vectors + 1>...};
    }
    (std::make_integer_sequence<int, tile_rows * tile_vectors>{});
    return table[static_cast<std::size_t>((rows - 1) * tile_vectors + vectors - 1)];
}

}  // namespace nanoatlas::kernels::onednn
