// Products of columns with columns in whole numbers of 16 bits; on the processor alone.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <span>

#include "kernels/kokkos/products.hpp"
#include "kernels/kokkos/short_tile.hpp"
#include "kernels/kokkos/term_panels.hpp"

namespace nanoatlas::kernels::kokkos {

/// Columns as strips of short_strip, a row as a term of each. Of each column and part of 256 rows
/// the values less the mean are a step times whole numbers, whose norm is at most 46340, so that
/// products of two fit 32 bits (Cauchy and Schwarz). Products are exact; sums of parts are of f32
/// within a piece of rows and of f64 beyond.
class RoundedColumnTiles {
    static constexpr std::size_t strip = short_strip, part_rows = RoundingSteps::rows;
    static constexpr std::size_t part_numbers = part_rows * strip;
    static constexpr std::size_t block_strips = 8;  // they and their sums stay in the second cache

  public:
    RoundedColumnTiles(std::span<const double> mean, double anchor)
        : columns_(mean.size()),
          strips_(term_panels::pieces(columns_, strip)),
          anchor_(anchor),
          mean_(term_panels::copied(mean)),
          sums_("sums", columns_ * (columns_ + 1) / 2) {}

    const DeviceView<double>& sums() const { return sums_; }
    std::size_t columns() const { return columns_; }
    std::size_t blocks() const { return term_panels::pieces(strips_, block_strips); }

    /// For so many rows at a time.
    void make_room(std::size_t rows) {
        rows_ = rows;
        const auto strips = parts() * strips_;
        if (numbers_.extent(0) >= strips * part_numbers) return;
        numbers_ = DeviceView<std::int16_t>("numbers", strips * part_numbers);
        step_ = DeviceView<float>("step", strips * strip);
    }
    std::size_t pieces_to_lay_out() const { return parts() * strips_; }

    /// Rounds a part of a strip of the matrix x.
    template <class T>
    void lay_out(const T* x, std::size_t piece) const {
        const auto part = piece / strips_, first = piece % strips_ * strip;
        const auto count = term_panels::less(strip, columns_ - first);
        float centred[part_rows][strip], norm2[strip] = {}, largest[strip] = {}, steps[strip];
        for (std::size_t t = 0; t < part_rows; ++t) {
            float* row = centred[t];
            for (std::size_t j = 0; j < strip; ++j) row[j] = 0;
            if (t < terms(part))
                centre(x + (part * part_rows + t) * columns_ + first, first, count, row);
#pragma omp simd
            for (std::size_t j = 0; j < strip; ++j) {
                norm2[j] += row[j] * row[j];
                largest[j] = std::max(largest[j], std::abs(row[j]));
            }
        }
        for (std::size_t j = 0; j < strip; ++j) {
            const float step = step_of(norm2[j], largest[j]);
            step_(piece * strip + j) = step;
            steps[j] = step > 0 ? 1 / step : 0;
        }
        auto* to = numbers_.data() + piece * part_numbers;
        for (std::size_t t = 0; t < part_rows; t += 2, to += 2 * strip)
            put_pairs(centred[t], centred[t + 1], steps, to);
    }

    /// Adds the products of block p with block q.
    void add_block(std::size_t p, std::size_t q) const {
        float held[block_strips][block_strips][strip][strip];
        for (auto& strips : held)
            for (auto& tile : strips)
                for (auto& row : tile)
                    for (auto& value : row) value = 0;
        const auto left = p * block_strips, right = q * block_strips;
        const auto left_count = term_panels::less(block_strips, strips_ - left);
        const auto right_count = term_panels::less(block_strips, strips_ - right);
        for (std::size_t part = 0; part < parts(); ++part)
            for (std::size_t j = 0; j < right_count; ++j)
                for (std::size_t i = 0; i < left_count; ++i)
                    if (left + i >= right + j) add_tile(left + i, right + j, part, held[i][j]);
        for (std::size_t i = 0; i < left_count; ++i)
            for (std::size_t j = 0; j < right_count; ++j)
                if (left + i >= right + j) put(held[i][j], left + i, right + j);
    }

  private:
    using Tile = float[strip][strip];

    std::size_t parts() const {
        return term_panels::pieces(rows_, part_rows);
    }
    std::size_t terms(std::size_t part) const {
        return term_panels::less(part_rows, rows_ - part * part_rows);
    }

    /// Rounding adds at most half of the root of 256 to a norm in steps. 0 where the squares of f32
    /// vanish.
    static float step_of(float norm2, float largest) {
        if (norm2 < 1e-30F) return 0;
        const float by_norm = std::sqrt(norm2) / RoundingSteps::in_length,
                    by_one = largest / RoundingSteps::in_largest;
        return (1 + 1e-4F) * (by_norm > by_one ? by_norm : by_one);
    }
    template <class T>
    void centre(const T* row, std::size_t first, std::size_t count, float* to) const {
        if (count == strip) return term_panels::centre(row, mean_.data() + first, strip, to);
        term_panels::centre(row, mean_.data() + first, count, to);
    }
    /// Of two rows, side by side.
    static void put_pairs(const float* row, const float* next, const float* steps,
                          std::int16_t* to) {
        std::int32_t pairs[strip];
#pragma omp simd
        for (std::size_t j = 0; j < strip; ++j) {
            const auto low = static_cast<std::int32_t>(std::nearbyint(row[j] * steps[j]));
            const auto high = static_cast<std::int32_t>(std::nearbyint(next[j] * steps[j]));
            pairs[j] =
                (low & 0xffff) | static_cast<std::int32_t>(static_cast<std::uint32_t>(high) << 16U);
        }
        std::memcpy(to, pairs, sizeof pairs);
    }

    void add_tile(std::size_t i, std::size_t j, std::size_t part, Tile& held) const {
        std::int32_t sums[strip * strip];
        const auto a = part * strips_ + i, b = part * strips_ + j;
        short_products<false>(numbers_.data() + a * part_numbers,
                              numbers_.data() + b * part_numbers, (terms(part) + 1) / 2, sums);
        const float *left = step_.data() + a * strip, *right = step_.data() + b * strip;
        for (std::size_t r = 0; r < strip; ++r)
#pragma omp simd
            for (std::size_t c = 0; c < strip; ++c)
                held[r][c] += left[r] * right[c] * static_cast<float>(sums[r * strip + c]);
    }
    void put(const Tile& tile, std::size_t i, std::size_t j) const {
        const double to_quantum = anchor_;
        for (std::size_t r = 0; r < term_panels::less(strip, columns_ - i * strip); ++r) {
            const auto length = i * strip + r + 1;
            double* to = sums_.data() + (length - 1) * length / 2 + j * strip;
            const auto count = term_panels::less(strip, length - j * strip);
            for (std::size_t c = 0; c < count; ++c)
                to[c] += (double{tile[r][c]} + to_quantum) - to_quantum;
        }
    }

    std::size_t columns_, strips_, rows_ = 0;
    double anchor_;
    DeviceView<double> mean_, sums_;
    DeviceView<float> step_;            // [parts, strips, strip]
    DeviceView<std::int16_t> numbers_;  // [parts, strips, 128, strip, 2]
};

}  // namespace nanoatlas::kernels::kokkos
