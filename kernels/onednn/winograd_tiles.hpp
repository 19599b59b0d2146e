// The tiles of 2x2 outputs that Winograd's convolutions cut an image into.
#pragma once

#include <algorithm>
#include <array>

#include "kernels/onednn/weight_gradient_plan.hpp"
#include "kernels/onednn/winograd_transforms.hpp"

namespace nanoatlas::kernels::onednn {

/// Channels in whole registers.
inline std::int64_t whole_lanes(std::int64_t channels) {
    return divide_up(channels, tile_lanes) * tile_lanes;
}

/// tile_lanes channels of a pixel from one on, zeros beyond the last.
inline TileLanes load_channels(const float* pixel, std::int64_t first, std::int64_t channels) {
    if (first + tile_lanes <= channels) return load_tile_lanes(pixel + first);
    std::array<float, tile_lanes> values{};
    std::copy(pixel + first, pixel + channels, values.begin());
    return load_tile_lanes(values.data());
}

inline void store_channels(const TileLanes& lanes, float* pixel, std::int64_t first,
                           std::int64_t channels) {
    if (first + tile_lanes <= channels) return store_tile_lanes(lanes, pixel + first);
    std::array<float, tile_lanes> values;
    store_tile_lanes(lanes, values.data());
    std::copy_n(values.begin(), channels - first, pixel + first);
}

/// One image's tiles, numbered through all samples.
struct WinogradTiles {
    ImageShape input, output;
    std::int64_t top, left;  ///< padding
    std::int64_t rows, columns;

    WinogradTiles(const ImageShape& in, const ImageShape& out, std::int64_t above,
                  std::int64_t before)
        : input(in),
          output(out),
          top(above),
          left(before),
          rows(divide_up(out.height, winograd_outputs)),
          columns(divide_up(out.width, winograd_outputs)) {}

    std::int64_t count() const { return output.samples * rows * columns; }
};

/// Where one tile's pixels are: null beyond the image, which counts as zeros.
template <int side>
using TilePixels = std::array<std::array<const float*, side>, side>;

/// The pixels from (y, x) on of a sample.
template <int side>
TilePixels<side> tile_pixels(const float* images, const ImageShape& shape, std::int64_t sample,
                             std::int64_t y, std::int64_t x) {
    TilePixels<side> pixels;
    for (int r = 0; r < side; ++r)
        for (int s = 0; s < side; ++s) {
            const bool inside = sample < shape.samples && y + r >= 0 && y + r < shape.height &&
                                x + s >= 0 && x + s < shape.width;
            pixels[static_cast<std::size_t>(r)][static_cast<std::size_t>(s)] =
                inside ? images + ((sample * shape.height + y + r) * shape.width + x + s) *
                                      shape.channels
                       : nullptr;
        }
    return pixels;
}

/// A tile's sample, row and column.
struct TilePlace {
    std::int64_t sample, row, column;
    TilePlace(const WinogradTiles& tiles, std::int64_t tile)
        : sample(tile / (tiles.rows * tiles.columns)),
          row(tile / tiles.columns % tiles.rows),
          column(tile % tiles.columns) {}
};

/// Inputs that a tile's outputs see; those of a tile beyond the last are zeros.
inline TilePixels<winograd_side> input_pixels(const WinogradTiles& tiles, const float* x,
                                              std::int64_t tile) {
    const TilePlace place(tiles, tile);
    return tile_pixels<winograd_side>(x, tiles.input, place.sample,
                                      place.row * winograd_outputs - tiles.top,
                                      place.column * winograd_outputs - tiles.left);
}

/// B^T d B of tile_lanes channels from first on; put(i, j, value) takes its elements in rows
/// [first_row, last_row).
template <class Put>
void transform_inputs(const TilePixels<winograd_side>& pixels, std::int64_t first,
                      std::int64_t channels, int first_row, int last_row, const Put& put) {
    TileLanes half[winograd_side][winograd_side];
#pragma GCC unroll 4
    for (std::size_t r = 0; r < winograd_side; ++r) {
        TileLanes d[winograd_side];
#pragma GCC unroll 4
        for (std::size_t s = 0; s < winograd_side; ++s)
            d[s] = pixels[r][s] != nullptr ? load_channels(pixels[r][s], first, channels)
                                           : TileLanes{};
#pragma GCC unroll 4
        for (int j = 0; j < winograd_side; ++j)
            half[r][j] = winograd_input(j, d[0], d[1], d[2], d[3]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < winograd_side; ++i) {
        if (i < first_row || i >= last_row) continue;
#pragma GCC unroll 4
        for (int j = 0; j < winograd_side; ++j)
            put(i, j, winograd_input(i, half[0][j], half[1][j], half[2][j], half[3][j]));
    }
}

}  // namespace nanoatlas::kernels::onednn
