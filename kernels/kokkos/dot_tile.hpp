// Products of a few rows with a few others, in registers: the inner loop under distance tiles.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstddef>
#include <cstring>

#include "kernels/kokkos/views.hpp"

namespace nanoatlas::kernels::kokkos {

/// Rows on the left and on the right of a tile.
constexpr int tile_left = 12, tile_right = 32;

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

#if defined(__GNUC__) && !defined(__CUDACC__)

#if defined(__AVX512F__)
constexpr int register_floats = 16, register_rows = 12;  // 24 of 32 registers hold sums
#else
constexpr int register_floats = 8, register_rows = 6;  // 12 of 16
#endif
static_assert(tile_left % register_rows == 0 && tile_right % (2 * register_floats) == 0);

/// The part of a tile whose sums fit the registers. Its own function, so that they stay there.
__attribute__((noinline)) inline void dot_in_registers(const float* left, const float* right,
                                                       std::size_t columns, float* dot) {
    using Register = float __attribute__((vector_size(register_floats * sizeof(float))));
    Register sum[register_rows][2];
#pragma GCC unroll 12
    for (int i = 0; i < register_rows; ++i) sum[i][0] = sum[i][1] = Register{};
    for (std::size_t c = 0; c < columns; ++c, left += tile_left, right += tile_right) {
        Register near, far;
        std::memcpy(&near, right, sizeof near);
        std::memcpy(&far, right + register_floats, sizeof far);
#pragma GCC unroll 12
        for (int i = 0; i < register_rows; ++i) {
            sum[i][0] += left[i] * near;
            sum[i][1] += left[i] * far;
        }
    }
#pragma GCC unroll 12
    for (int i = 0; i < register_rows; ++i) {
        std::memcpy(dot + i * tile_right, &sum[i][0], sizeof(Register));
        std::memcpy(dot + i * tile_right + register_floats, &sum[i][1], sizeof(Register));
    }
}

/// dot[i][j] = sum over c of left[c][i] * right[c][j], each summed in order of c.
inline void dot_tile(const float* left, const float* right, std::size_t columns,
                     float (&dot)[tile_left][tile_right]) {
    for (int j = 0; j < tile_right; j += 2 * register_floats)
        for (int i = 0; i < tile_left; i += register_rows)
            dot_in_registers(left + i, right + j, columns, &dot[i][j]);
}

#else

/// dot[i][j] = sum over c of left[c][i] * right[c][j], each summed in order of c.
KOKKOS_FUNCTION inline void dot_tile(const float* left, const float* right, std::size_t columns,
                                     float (&dot)[tile_left][tile_right]) {
    for (auto& row : dot)
        for (auto& value : row) value = 0;
    for (std::size_t c = 0; c < columns; ++c)
        for (int i = 0; i < tile_left; ++i)
            for (int j = 0; j < tile_right; ++j)
                dot[i][j] += left[c * tile_left + static_cast<std::size_t>(i)] *
                             right[c * tile_right + static_cast<std::size_t>(j)];
}

#endif

}  // namespace nanoatlas::kernels::kokkos
