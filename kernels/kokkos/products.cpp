#include "kernels/kokkos/products.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>

#include "kernels/kokkos/dot_tile.hpp"
#include "kernels/kokkos/views.hpp"

namespace nanoatlas::kernels::kokkos {
namespace {

constexpr std::size_t left_rows = tile_left, right_rows = tile_right;
// Terms summed in f32: both sides of a tile stay in the first cache, and rounding stays small.
constexpr std::size_t terms_in_f32 = 256;

using Sums = double[left_rows][right_rows];

/// The sums of one tile over all its terms.
KOKKOS_INLINE_FUNCTION void tile_sums(const float* left, const float* right, std::size_t terms,
                                      Sums& sums) {
    for (auto& row : sums)
        for (auto& value : row) value = 0;
    for (std::size_t first = 0; first < terms; first += terms_in_f32) {
        float part[tile_left][tile_right];
        const auto count = terms - first < terms_in_f32 ? terms - first : terms_in_f32;
        dot_tile(left + first * left_rows, right + first * right_rows, count, part);
        for (std::size_t i = 0; i < left_rows; ++i)
            for (std::size_t j = 0; j < right_rows; ++j) sums[i][j] += part[i][j];
    }
}

std::size_t blocks(std::size_t rows, std::size_t width) {
    return (rows + width - 1) / width;
}

/// Blocks of unequal work, one at a time to whichever thread is free.
template <class Kernel>
void for_each_block(const char* name, std::size_t count, const Kernel& kernel) {
    using Policy = Kokkos::RangePolicy<Execution, Kokkos::Schedule<Kokkos::Dynamic>>;
    Kokkos::parallel_for(name, Policy(0, count).set_chunk_size(1), kernel);
}

/// Rows of a matrix, interleaved.
InterleavedRows interleaved(std::span<const float> values, std::size_t columns, int width) {
    const std::size_t rows = values.size() / columns;
    InterleavedRows result(rows, columns, width);
    const auto from = on_device(values);
    for_each_row(
        "reduce/interleave", rows, KOKKOS_LAMBDA(const std::size_t i) {
            for (std::size_t c = 0; c < columns; ++c) result.at(i, c) = from(i * columns + c);
        });
    return result;
}

/// Columns of a matrix, interleaved: what a row is there is a column here.
InterleavedRows interleaved_columns(std::span<const float> values, std::size_t columns, int width) {
    const std::size_t rows = values.size() / columns, w = static_cast<std::size_t>(width);
    InterleavedRows result(columns, rows, width);
    const auto from = on_device(values);
    for_each_row(
        "reduce/interleave", rows, KOKKOS_LAMBDA(const std::size_t i) {
            for (std::size_t first = 0; first < columns; first += w) {
                const float* here = from.data() + i * columns + first;
                float* to = result.values.data() + first * rows + i * w;
                const auto count = columns - first < w ? columns - first : w;
                for (std::size_t j = 0; j < count; ++j) to[j] = here[j];
            }
        });
    return result;
}

}  // namespace

void add_column_products(std::span<const float> tile, std::size_t columns, double anchor,
                         std::span<double> sums) {
    if (tile.empty()) return;
    const std::size_t rows = tile.size() / columns;
    const auto left = interleaved_columns(tile, columns, tile_left);
    const auto right = interleaved_columns(tile, columns, tile_right);
    const auto out = on_device_for_update(sums);
    for_each_block(
        "reduce/scatter", blocks(columns, right_rows), KOKKOS_LAMBDA(const std::size_t q) {
            const auto first = q * right_rows;
            const auto width = columns - first < right_rows ? columns - first : right_rows;
            for (std::size_t p = first / left_rows; p * left_rows < columns; ++p) {
                Sums here;
                tile_sums(left.block(p), right.block(q), rows, here);
                for (std::size_t i = 0; i < left_rows && p * left_rows + i < columns; ++i) {
                    double* to = out.data() + (p * left_rows + i) * columns + first;
                    for (std::size_t j = 0; j < width; ++j) to[j] += (here[i][j] + anchor) - anchor;
                }
            }
        });
    copy_back(out, sums);
}

void row_products(std::span<const float> a, std::span<const float> b, std::size_t columns,
                  std::span<double> out) {
    if (a.empty() || b.empty()) return;
    const std::size_t m = a.size() / columns, n = b.size() / columns;
    const auto left = interleaved(a, columns, tile_left);
    const auto right = interleaved(b, columns, tile_right);
    const auto products = room_on_device(out);
    for_each_block(
        "reduce/project", blocks(m, left_rows), KOKKOS_LAMBDA(const std::size_t p) {
            for (std::size_t q = 0; q * right_rows < n; ++q) {
                Sums here;
                tile_sums(left.block(p), right.block(q), columns, here);
                for (std::size_t i = 0; i < left_rows && p * left_rows + i < m; ++i)
                    for (std::size_t j = 0; j < right_rows && q * right_rows + j < n; ++j)
                        products((p * left_rows + i) * n + q * right_rows + j) = here[i][j];
            }
        });
    copy_back(products, out);
}

}  // namespace nanoatlas::kernels::kokkos
