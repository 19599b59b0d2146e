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

#if defined(__AVX512F__) && !defined(__CUDACC__)
constexpr int register_floats = 16, register_rows = 12;  // 24 of 32 registers hold sums
#else
constexpr int register_floats = 8, register_rows = 6;  // 12 of 16
#endif
template <class T>
constexpr int register_width = 8 * register_floats / static_cast<int>(sizeof(T));

#if defined(__GNUC__) && !defined(__CUDACC__)

/// The part of a tile whose sums fit the registers. Its own function, so that they stay there.
template <class T, int left_width, int right_width>
__attribute__((noinline)) inline void dot_in_registers(const T* left, const T* right,
                                                       std::size_t columns, T* dot) {
    using Register [[gnu::vector_size(register_floats * sizeof(float))]] = T;
    constexpr int lanes = register_width<T> / 2;
    Register sum[register_rows][2];
#pragma GCC unroll 12
    for (auto& row : sum) row[0] = row[1] = Register{};
    for (std::size_t c = 0; c < columns; ++c, left += left_width, right += right_width) {
        Register near, far;
        std::memcpy(&near, right, sizeof near);
        std::memcpy(&far, right + lanes, sizeof far);
#pragma GCC unroll 12
        for (int i = 0; i < register_rows; ++i) {
            sum[i][0] += left[i] * near;
            sum[i][1] += left[i] * far;
        }
    }
#pragma GCC unroll 12
    for (int i = 0; i < register_rows; ++i) {
        std::memcpy(dot + i * right_width, &sum[i][0], sizeof(Register));
        std::memcpy(dot + i * right_width + lanes, &sum[i][1], sizeof(Register));
    }
}

/// dot[i][j] = sum over c of left[c][i] * right[c][j], each summed in order of c.
template <class T, int left_width, int right_width>
inline void dot_tile(const T* left, const T* right, std::size_t columns,
                     T (&dot)[left_width][right_width]) {
    static_assert(left_width % register_rows == 0 && right_width % register_width<T> == 0);
    for (int j = 0; j < right_width; j += register_width<T>)
        for (int i = 0; i < left_width; i += register_rows)
            dot_in_registers<T, left_width, right_width>(left + i, right + j, columns, &dot[i][j]);
}

#else

/// dot[i][j] = sum over c of left[c][i] * right[c][j], each summed in order of c.
template <class T, int left_width, int right_width>
KOKKOS_FUNCTION inline void dot_tile(const T* left, const T* right, std::size_t columns,
                                     T (&dot)[left_width][right_width]) {
    for (auto& row : dot)
        for (auto& value : row) value = 0;
    for (std::size_t c = 0; c < columns; ++c)
        for (int i = 0; i < left_width; ++i)
            for (int j = 0; j < right_width; ++j)
                dot[i][j] += left[c * left_width + static_cast<std::size_t>(i)] *
                             right[c * right_width + static_cast<std::size_t>(j)];
}

#endif

}  // namespace nanoatlas::kernels::kokkos
