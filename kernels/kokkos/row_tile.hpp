// Products of a few rows, each where it lies, with a panel of others that are interleaved: what a
// search among centres is made of, for any choice of rows.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstddef>

namespace nanoatlas::kernels::kokkos {

// Sums stay in registers: 16 of 512 bit, or 12 of 256 bit with room for a panel's row and a value.
#if defined(__AVX512F__) && !defined(__CUDACC__)
constexpr int row_tile_rows = 8, row_tile_width = 32;
constexpr std::size_t row_tile_lanes = 16;
#else
constexpr int row_tile_rows = 6, row_tile_width = 16;
constexpr std::size_t row_tile_lanes = 8;
#endif

#if defined(__GNUC__) && !defined(__CUDACC__)

/// One register; g++ would take narrower ones by itself.
using RowTileRegister
    [[gnu::vector_size(row_tile_lanes * sizeof(float)), gnu::aligned(4), gnu::may_alias]] = float;

/// dot[i][j] = sum over c of row[i][c] * panel[c][j], each summed in order of c. On its own, g++
/// keeps the sums in registers; inlined into a long loop, it does not.
[[gnu::noinline]] inline void row_tile(const float* const (&row)[row_tile_rows], const float* panel,
                                       std::size_t columns,
                                       float (&dot)[row_tile_rows][row_tile_width]) {
    constexpr int parts = row_tile_width / static_cast<int>(row_tile_lanes);
    const float* here[row_tile_rows];
    for (int i = 0; i < row_tile_rows; ++i) here[i] = row[i];
    RowTileRegister sum[row_tile_rows][parts];
    for (auto& sums : sum)
        for (auto& part : sums) part = RowTileRegister{};
    for (std::size_t c = 0; c < columns; ++c) {
        RowTileRegister right[parts];
        for (int p = 0; p < parts; ++p)
            right[p] = *reinterpret_cast<const RowTileRegister*>(
                panel + c * row_tile_width + static_cast<std::size_t>(p) * row_tile_lanes);
#pragma GCC unroll 8
        for (int i = 0; i < row_tile_rows; ++i) {
            const float value = here[i][c];
            for (int p = 0; p < parts; ++p) sum[i][p] += value * right[p];
        }
    }
    for (int i = 0; i < row_tile_rows; ++i)
        for (int p = 0; p < parts; ++p)
            *reinterpret_cast<RowTileRegister*>(
                &dot[i][static_cast<std::size_t>(p) * row_tile_lanes]) = sum[i][p];
}

#else

KOKKOS_INLINE_FUNCTION void row_tile(const float* const (&row)[row_tile_rows], const float* panel,
                                     std::size_t columns,
                                     float (&dot)[row_tile_rows][row_tile_width]) {
    for (int i = 0; i < row_tile_rows; ++i)
        for (int j = 0; j < row_tile_width; ++j) {
            float sum = 0;
            for (std::size_t c = 0; c < columns; ++c)
                sum += row[i][c] * panel[c * row_tile_width + static_cast<std::size_t>(j)];
            dot[i][j] = sum;
        }
}

#endif

}  // namespace nanoatlas::kernels::kokkos
