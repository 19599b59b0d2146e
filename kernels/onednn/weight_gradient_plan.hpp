// How the gradient of a convolution's weights is cut into blocks and shared out to threads.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/cnn.hpp"
#include "kernels/onednn/register_tile.hpp"

namespace nanoatlas::kernels::onednn {

inline std::int64_t divide_up(std::int64_t a, std::int64_t b) {
    return (a + b - 1) / b;
}

/// Part i of n when [0, count) is cut evenly.
struct Part {
    std::int64_t first, last;
    Part(std::int64_t count, std::int64_t i, std::int64_t n)
        : first(count * i / n), last(count * (i + 1) / n) {}
    std::int64_t count() const { return last - first; }
};

/// One side of the window moving over the image, and how its pixels are packed.
struct Side {
    std::int64_t input, output, taps, stride, dilation, before;

    /// Between the inputs of one tap that are packed: all of them, or only the one tap's.
    std::int64_t packed_stride() const { return taps == 1 ? 1 : stride; }
    std::int64_t input_step() const { return taps == 1 ? stride : 1; }
    /// Inputs packed for that many outputs.
    std::int64_t packed(std::int64_t outputs) const {
        return (outputs - 1) * packed_stride() + (taps - 1) * dilation + 1;
    }
};

/// How the sums are blocked and shared out; everything in it is a function of shape and threads.
struct WeightGradientPlan {
    ConvolutionShape shape;
    std::int64_t samples;
    Side rows, columns;
    /// Elements of a pixel on the left: the channels, or, where they are few, those of all columns
    /// of the window, which lie side by side.
    std::int64_t left_channels, pixel_elements, row_elements, out_channels;
    bool joined_columns;
    bool direct;  ///< pixels of f32 are not packed, but read where they lie

    std::int64_t bands_y, bands_x;  ///< a sample is cut into
    std::int64_t group;             ///< samples whose bands are packed together
    std::int64_t most_rows, most_columns;

    std::int64_t left_tiles, right_tiles;
    std::int64_t copied_tiles;  ///< on the left, where a whole register may be read
    int threads;
    std::int64_t pixel_parts, channel_parts;

    explicit WeightGradientPlan(const ConvolutionShape& given);

    std::int64_t bands_a_sample() const { return bands_y * bands_x; }
    std::int64_t taps() const { return rows.taps * columns.taps; }
    std::int64_t tile_size() const { return tile_rows * tile_columns; }
    std::int64_t results() const {  ///< of all tiles
        return left_tiles * right_tiles * taps() * tile_size();
    }
    int left_rows(std::int64_t tile) const {
        return static_cast<int>(
            std::min<std::int64_t>(tile_rows, left_channels - tile * tile_rows));
    }
    std::int64_t right_channels(std::int64_t tile) const {
        return std::min<std::int64_t>(tile_columns, out_channels - tile * tile_columns);
    }
    int right_vectors(std::int64_t tile) const {
        return static_cast<int>(divide_up(right_channels(tile), tile_lanes));
    }
    std::int64_t left_positions() const {
        return group * rows.packed(most_rows) * columns.packed(most_columns);
    }
    /// Copies of whole registers may end behind a panel.
    std::int64_t left_panel() const { return left_positions() * tile_rows + tile_lanes; }
    std::int64_t right_panel(int pixels_a_step) const {
        return group * most_rows * divide_up(most_columns, pixels_a_step) * tile_columns;
    }
    /// 4-byte units of one thread's panels.
    std::int64_t panel_units() const {
        return left_tiles * left_panel() + right_tiles * right_panel(1);
    }
    std::int64_t scratch_bytes() const {
        return 4 *
               (threads * (panel_units() + tile_lanes) + pixel_parts * (results() + out_channels));
    }

  private:
    void share_out();
    std::int64_t pixels_at_once() const;
    std::int64_t samples_at_once(std::int64_t pixels) const;
};

}  // namespace nanoatlas::kernels::onednn
