// Pixels packed for the tiles of a weight gradient: what a tile reads lies side by side.
#pragma once

#include <cstring>

#include "kernels/onednn/weight_gradient_plan.hpp"

namespace nanoatlas::kernels::onednn {

/// Two bf16 as one unit.
inline std::uint32_t join(BFloat16 early, BFloat16 late) {
    return (static_cast<std::uint32_t>(early.bits) | static_cast<std::uint32_t>(late.bits) << 16);
}
/// tile_lanes of them.
inline void join_pairs(const BFloat16* early, const BFloat16* late, std::uint32_t* to) {
    using Halves = std::uint16_t __attribute__((vector_size(tile_lanes * 2)));
    using Wholes = std::uint32_t __attribute__((vector_size(tile_lanes * 4)));
    Halves low, high;
    std::memcpy(&low, early, sizeof low);
    std::memcpy(&high, late, sizeof high);
    const Wholes joined =
        __builtin_convertvector(low, Wholes) | __builtin_convertvector(high, Wholes) << 16;
    std::memcpy(to, &joined, sizeof joined);
}

/// Output pixels whose panels are packed at once: rows and columns of one sample, or whole samples.
struct Band {
    std::int64_t first_sample, samples;
    Part y, x;
    std::int64_t packed_rows, packed_columns;  ///< of the input
};

/// The pixels that the window meets, by tiles of channels.
template <class Kind>
class LeftPanels {
  public:
    using Element = typename Kind::Element;
    using Unit = typename Kind::Unit;

    LeftPanels(const WeightGradientPlan& plan, Unit* memory) : plan_(plan), memory_(memory) {}

    /// Panels [tile][sample, row, column][tile's rows], zeros beyond the image.
    void pack(const Element* x, const Band& band) {
        packed_columns_ = band.packed_columns;
        std::int64_t position = 0;
        for (std::int64_t n = 0; n < band.samples; ++n)
            for (std::int64_t row = 0; row < band.packed_rows; ++row) {
                const auto in = band.y.first * plan_.rows.stride - plan_.rows.before +
                                row * plan_.rows.input_step();
                const bool inside = in >= 0 && in < plan_.rows.input;
                const auto* line = inside ? x + ((band.first_sample + n) * plan_.rows.input + in) *
                                                    plan_.row_elements
                                          : nullptr;
                pack_line(line, band.x.first * plan_.columns.stride - plan_.columns.before,
                          position);
                position += packed_columns_;
            }
    }

    const Unit* panel(std::int64_t tile) const { return memory_ + tile * plan_.left_panel(); }

  private:
    void pack_line(const Element* line, std::int64_t first, std::int64_t position) const {
        for (std::int64_t i = 0; i < packed_columns_; ++i) {
            const auto element = [&](std::int64_t column) {
                return (first + column * plan_.columns.input_step()) * plan_.pixel_elements;
            };
            if constexpr (Kind::pixels == 1) {
                pack_pixel(line, element(i), position + i);
            } else {
                const auto next = i + plan_.columns.packed_stride();
                pack_pair(line, element(i), next < packed_columns_ ? line : nullptr, element(next),
                          position + i);
            }
        }
    }

    bool lies_inside(std::int64_t element) const {
        return element >= 0 && element + plan_.left_channels <= plan_.row_elements;
    }
    Element at(const Element* line, std::int64_t element) const {
        return line != nullptr && element >= 0 && element < plan_.row_elements ? line[element]
                                                                               : Element{};
    }

    /// Whole registers are copied where they don't end behind the pixel; the next position's copy
    /// overwrites what is too much.
    void pack_pixel(const Element* line, std::int64_t element, std::int64_t position) const {
        const bool inside = line != nullptr && lies_inside(element);
        const Element* from = inside ? line + element : nullptr;
        Unit* to = memory_ + position * tile_rows;
        std::int64_t tile = 0;
        if (inside)
            for (; tile < plan_.copied_tiles; ++tile, to += plan_.left_panel(), from += tile_rows)
                std::memcpy(to, from, tile_lanes * sizeof(Unit));
        pack_rest(tile, position, [&](std::int64_t i) {
            return inside ? line[element + i] : at(line, element + i);
        });
    }

    void pack_pair(const Element* line, std::int64_t element, const Element* next_line,
                   std::int64_t next, std::int64_t position) const {
        const bool inside =
            line != nullptr && next_line != nullptr && lies_inside(element) && lies_inside(next);
        Unit* to = memory_ + position * tile_rows;
        std::int64_t tile = 0;
        if (inside)
            for (; tile < plan_.copied_tiles; ++tile, to += plan_.left_panel())
                join_pairs(line + element + tile * tile_rows, line + next + tile * tile_rows, to);
        pack_rest(tile, position, [&](std::int64_t i) {
            return inside ? join(line[element + i], next_line[next + i])
                          : join(at(line, element + i), at(next_line, next + i));
        });
    }

    /// The tiles from one on, channel by channel.
    template <class UnitAt>
    void pack_rest(std::int64_t tile, std::int64_t position, const UnitAt& unit_at) const {
        for (; tile < plan_.left_tiles; ++tile) {
            const int rows = plan_.left_rows(tile);
            Unit* to = memory_ + tile * plan_.left_panel() + position * rows;
            for (int i = 0; i < rows; ++i) to[i] = unit_at(tile * tile_rows + i);
        }
    }

    const WeightGradientPlan& plan_;
    Unit* memory_;
    std::int64_t packed_columns_ = 0;
};

/// The gradients of the output's pixels, by some tiles of channels.
template <class Kind>
class RightPanels {
  public:
    using Element = typename Kind::Element;
    using Unit = typename Kind::Unit;

    /// bias  [output channels], to which the pixels of these tiles are added; may be null
    RightPanels(const WeightGradientPlan& plan, const Part& tiles, Unit* memory, float* bias)
        : plan_(plan), tiles_(tiles), memory_(memory), bias_(bias) {}

    /// Panels [tile][sample, row, step][tile's columns], zeros beyond channels and pixels. Pixel
    /// after pixel, so that they are read in the order of memory.
    void pack(const Element* dy, const Band& band) {
        std::int64_t step = 0;
        for (std::int64_t n = 0; n < band.samples; ++n)
            for (auto row = band.y.first; row < band.y.last; ++row) {
                const auto line =
                    ((band.first_sample + n) * plan_.rows.output + row) * plan_.columns.output;
                for (auto i = band.x.first; i < band.x.last; i += Kind::pixels, ++step) {
                    const auto* pixel = dy + (line + i) * plan_.out_channels;
                    const auto* next = i + 1 < band.x.last ? pixel + plan_.out_channels : nullptr;
                    pack_step(pixel, next, step);
                    if (bias_ == nullptr) continue;
                    add_bias(pixel);
                    if (Kind::pixels == 2 && next != nullptr) add_bias(next);
                }
            }
    }

    Unit* panel(std::int64_t tile) const {
        return memory_ + tile * plan_.right_panel(Kind::pixels);
    }

  private:
    void pack_step(const Element* pixel, const Element* next, std::int64_t step) const {
        for (auto tile = tiles_.first; tile < tiles_.last; ++tile) {
            const auto first = tile * tile_columns, count = plan_.right_channels(tile);
            const auto width = std::int64_t{plan_.right_vectors(tile)} * tile_lanes;
            const Element* late = next != nullptr ? next + first : nullptr;
            pack_columns(pixel + first, late, count, width, panel(tile) + step * width);
        }
    }

    static void pack_columns(const Element* from, [[maybe_unused]] const Element* next,
                             std::int64_t count, std::int64_t width, Unit* to) {
        if constexpr (Kind::pixels == 1) {
            if (count == tile_columns) {
                std::memcpy(to, from, tile_columns * sizeof(Unit));
                return;
            }
            std::fill(std::copy_n(from, count, to), to + width, Unit{});
        } else {
            if (count == tile_columns && next != nullptr) {
                for (int v = 0; v < tile_vectors; ++v)
                    join_pairs(from + v * tile_lanes, next + v * tile_lanes, to + v * tile_lanes);
                return;
            }
            for (std::int64_t i = 0; i < count; ++i)
                to[i] = join(from[i], next != nullptr ? next[i] : Element{});
            std::fill(to + count, to + width, Unit{});
        }
    }

    void add_bias(const Element* pixel) const {
        const auto last = std::min(tiles_.last * tile_columns, plan_.out_channels);
        for (auto o = tiles_.first * tile_columns; o < last; ++o) bias_[o] += load(pixel[o]);
    }

    const WeightGradientPlan& plan_;
    Part tiles_;
    Unit* memory_;
    float* bias_;
};

}  // namespace nanoatlas::kernels::onednn
