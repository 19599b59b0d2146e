// Products of a few rows with a few others, in registers: the inner loop under distance tiles.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstddef>

#include "kernels/kokkos/views.hpp"

namespace nanoatlas::kernels::kokkos {

/// Rows on the left and on the right of a tile: 16 registers of 512 bit hold its sums.
constexpr int tile_left = 8, tile_right = 32;

/// Rows interleaved by `width`, so that a tile reads them in order: [blocks, columns, width], the
/// last block filled up with zeros.
struct InterleavedRows {
    DeviceView<float> values;
    std::size_t columns = 0;
    int width = 0;

    InterleavedRows() = default;
    InterleavedRows(std::size_t rows, std::size_t columns_, int width_)
        : columns(columns_), width(width_) {
        const auto w = static_cast<std::size_t>(width);
        values = DeviceView<float>("interleaved", (rows + w - 1) / w * w * columns);
    }
    KOKKOS_FUNCTION float& at(std::size_t row, std::size_t column) const {
        const auto w = static_cast<std::size_t>(width);
        return values((row / w * columns + column) * w + row % w);
    }
    KOKKOS_FUNCTION const float* block(std::size_t number) const {
        return values.data() + number * columns * static_cast<std::size_t>(width);
    }
};

// On its own, g++ keeps the sums in registers; inlined into a long loop, it does not.
#if defined(__GNUC__) && !defined(__clang__) && !defined(__CUDACC__)
#define NANOATLAS_TILE_LOOP __attribute__((noinline)) inline
#define NANOATLAS_UNROLL_LEFT _Pragma("GCC unroll 8")
#else
#define NANOATLAS_TILE_LOOP inline
#define NANOATLAS_UNROLL_LEFT
#endif

/// dot[i][j] = sum over c of left[c][i] * right[c][j], each summed in order of c.
KOKKOS_FUNCTION NANOATLAS_TILE_LOOP void dot_tile(const float* left, const float* right,
                                                  std::size_t columns,
                                                  float (&dot)[tile_left][tile_right]) {
    float sum[tile_left][tile_right];
    for (auto& row : sum)
        for (auto& value : row) value = 0;
    for (std::size_t c = 0; c < columns; ++c) {
        NANOATLAS_UNROLL_LEFT
        for (int i = 0; i < tile_left; ++i) {
            const float value = left[c * tile_left + static_cast<std::size_t>(i)];
#pragma omp simd
            for (int j = 0; j < tile_right; ++j)
                sum[i][j] += value * right[c * tile_right + static_cast<std::size_t>(j)];
        }
    }
    for (int i = 0; i < tile_left; ++i)
        for (int j = 0; j < tile_right; ++j) dot[i][j] = sum[i][j];
}

#undef NANOATLAS_TILE_LOOP
#undef NANOATLAS_UNROLL_LEFT

}  // namespace nanoatlas::kernels::kokkos
