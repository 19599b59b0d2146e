// Which panels a few neighbouring searchers need to look at: by the boxes and balls around them.
#pragma once

#include <cfloat>
#include <cstddef>
#include <cstdint>

#include "kernels/kokkos/panels.hpp"
#include "kernels/kokkos/selection.hpp"

namespace nanoatlas::kernels::kokkos {

/// Searchers [first, first + count) by position, in strips of tile_left. `limit` is what
/// NeighbourPool says of each: nothing at a squared distance above it is of interest.
class PanelReach {
  public:
    using Tile = float[tile_left][tile_right];

    KOKKOS_FUNCTION PanelReach(const Team& team, const PlacedRows& own,
                               const InterleavedRows& values, const Panels& panels,
                               const TileRounding& rounding, std::size_t first, std::size_t count)
        : own_(own),
          values_(values),
          panels_(panels),
          rounding_(rounding),
          first_(first),
          count_(count),
          low_(team.team_scratch(1), strips() * values.columns),
          high_(team.team_scratch(1), strips() * values.columns),
          shelf_(team.team_scratch(1), 2 * panels.shelves()),
          shelf_distance_(team.team_scratch(1), panels.shelves()) {
        measure_boxes();
        sort_shelves();
    }

    static std::size_t scratch_size(std::size_t rows, std::size_t columns, std::size_t shelves) {
        const std::size_t boxes = (rows + tile_left - 1) / tile_left * columns;
        return 2 * Scratch<float>::shmem_size(boxes) + Scratch<Ranked>::shmem_size(2 * shelves) +
               Scratch<float>::shmem_size(shelves);
    }

    KOKKOS_FUNCTION std::size_t strips() const { return (count_ + tile_left - 1) / tile_left; }
    KOKKOS_FUNCTION std::size_t end_of_strip(std::size_t strip) const {
        return Kokkos::min((strip + 1) * tile_left, count_);
    }
    KOKKOS_FUNCTION const float* strip_values(std::size_t strip) const {
        return values_.block(first_ / tile_left + strip);
    }
    KOKKOS_FUNCTION float norm2(std::size_t g) const { return own_.norm2(first_ + g); }

    /// Shelves by the distance of their means from that of all searchers.
    KOKKOS_FUNCTION std::size_t shelf(std::size_t rank) const {
        return static_cast<std::size_t>(shelf_(rank).index);
    }

    /// The panels of a shelf, a bit each, that may hold neighbours of a strip's searchers; if any,
    /// lower bounds of the squared distances of all searchers from the centres of all panels.
    KOKKOS_FUNCTION std::uint32_t admit(std::size_t strip, std::size_t shelf, const float* limit,
                                        Tile& distance2) const {
        float largest = 0, farthest = 0;
        for (std::size_t g = strip * tile_left; g < end_of_strip(strip); ++g) {
            largest = Kokkos::max(largest, norm2(g));
            farthest = Kokkos::max(farthest, limit[g]);
        }
        if (shelf_distance_(shelf) > farthest) return 0;
        const auto by_boxes = not_apart(strip, shelf, largest, farthest);
        if (by_boxes == 0) return 0;
        dot_tile(strip_values(strip), panels_.centre.block(shelf), values_.columns, distance2);
        const float* base = &panels_.centre_base(shelf * tile_right);
        for (std::size_t i = 0; i < tile_left; ++i) {
            const std::size_t g = Kokkos::min(strip * tile_left + i, count_ - 1);
            const float own = (1 - rounding_.relative) * norm2(g);
#pragma omp simd
            for (int p = 0; p < tile_right; ++p)
                distance2[i][p] = base[p] - 2 * distance2[i][p] + own;
        }
        return by_boxes & within_reach(strip, shelf, limit, distance2);
    }

    /// By the balls around the panels: a row of one is no nearer than its centre less its radius.
    KOKKOS_FUNCTION std::uint32_t within_reach(std::size_t strip, std::size_t shelf,
                                               const float* limit, const Tile& distance2) const {
        constexpr float up = 1.00001F;  // more than the rounding of this
        const float* radius = &panels_.radius(shelf * tile_right);
        int within[tile_right] = {};
        for (std::size_t g = strip * tile_left; g < end_of_strip(strip); ++g) {
            const float root = up * Kokkos::sqrt(Kokkos::max(0.0F, limit[g]));
            const float* of_searcher = distance2[g - strip * tile_left];
#pragma omp simd
            for (int p = 0; p < tile_right; ++p) {
                const float far = up * (root + radius[p]);
                within[p] |= static_cast<int>(of_searcher[p] <= far * far);
            }
        }
        std::uint32_t bits = 0;
        for (int p = 0; p < tile_right; ++p)
            bits |= static_cast<std::uint32_t>(within[p] & static_cast<int>(is_panel(shelf, p)))
                    << p;
        return bits;
    }

  private:
    // Of each strip.
    KOKKOS_FUNCTION void measure_boxes() const {
        const std::size_t columns = values_.columns;
        for (std::size_t strip = 0; strip < strips(); ++strip)
            for (std::size_t c = 0; c < columns; ++c) {
                const float* value = strip_values(strip) + c * tile_left;
                float low = FLT_MAX, high = -FLT_MAX;
                for (std::size_t i = 0; i < end_of_strip(strip) - strip * tile_left; ++i) {
                    low = Kokkos::min(low, value[i]);
                    high = Kokkos::max(high, value[i]);
                }
                low_(strip * columns + c) = low;
                high_(strip * columns + c) = high;
            }
    }

    // And a lower bound of the squared distance of any searcher from any row on a shelf: that of
    // the boxes, less rounding.
    KOKKOS_FUNCTION void sort_shelves() const {
        const std::size_t columns = values_.columns;
        float largest = 0;
        for (std::size_t g = 0; g < count_; ++g) largest = Kokkos::max(largest, norm2(g));
        const auto shelves = panels_.shelves();
        for (std::size_t s = 0; s < shelves; ++s) {
            shelf_(s) = {0, static_cast<std::int64_t>(s)};
            shelf_distance_(s) = -slack(largest, panels_.shelf_norm2_at_most(s));
        }
        for (std::size_t c = 0; c < columns; ++c) {
            float low = FLT_MAX, high = -FLT_MAX, sum = 0;
            for (std::size_t strip = 0; strip < strips(); ++strip) {
                low = Kokkos::min(low, low_(strip * columns + c));
                high = Kokkos::max(high, high_(strip * columns + c));
            }
            for (std::size_t g = 0; g < count_; ++g) sum += values_.at(first_ + g, c);
            const float mean = sum / static_cast<float>(count_);
            for (std::size_t s = 0; s < shelves; ++s) {
                const auto at = c * shelves + s;
                const float gap = Kokkos::max(
                    0.0F, Kokkos::max(panels_.shelf_low(at) - high, low - panels_.shelf_high(at)));
                shelf_distance_(s) += gap * gap;
                const float apart = panels_.shelf_mean(at) - mean;
                shelf_(s).value += static_cast<double>(apart * apart);
            }
        }
        merge_sort(shelf_.data(), static_cast<int>(shelves), shelf_.data() + shelves);
    }

    // By how much the squared distance of two boxes of f32 rows may exceed that of the rows.
    KOKKOS_FUNCTION float slack(float norm2_here, float norm2_there) const {
        return 4 * rounding_.relative * (norm2_here + norm2_there) + rounding_.absolute;
    }

    // By the boxes around the strip and the panels.
    KOKKOS_FUNCTION std::uint32_t not_apart(std::size_t strip, std::size_t shelf, float largest,
                                            float farthest) const {
        const std::size_t columns = values_.columns;
        float apart[tile_right] = {};
        for (std::size_t c = 0; c < columns; ++c) {
            const float low = low_(strip * columns + c);
            const float high = high_(strip * columns + c);
            const float* from = &panels_.low((shelf * columns + c) * tile_right);
            const float* to = &panels_.high((shelf * columns + c) * tile_right);
#pragma omp simd
            for (int p = 0; p < tile_right; ++p) {
                const float after = from[p] - high, before = low - to[p];
                const float a = after + Kokkos::abs(after), b = before + Kokkos::abs(before);
                apart[p] += a * a + b * b;  // four times the square of what is positive
            }
        }
        std::uint32_t bits = 0;
        for (int p = 0; p < tile_right; ++p) {
            const float rounded = slack(
                largest, panels_.norm2_at_most(shelf * tile_right + static_cast<std::size_t>(p)));
            bits |= static_cast<std::uint32_t>(apart[p] / 4 - rounded <= farthest) << p;
        }
        return bits;
    }

    KOKKOS_FUNCTION bool is_panel(std::size_t shelf, int p) const {
        return shelf * tile_right + static_cast<std::size_t>(p) < panels_.count();
    }

    const PlacedRows& own_;
    const InterleavedRows& values_;
    const Panels& panels_;
    const TileRounding& rounding_;
    std::size_t first_, count_;
    Scratch<float> low_, high_;      // [strips, columns] the box around each strip
    Scratch<Ranked> shelf_;          // [2 shelves] by distance, and scratch
    Scratch<float> shelf_distance_;  // [shelves] lower bounds, squared
};

}  // namespace nanoatlas::kernels::kokkos
