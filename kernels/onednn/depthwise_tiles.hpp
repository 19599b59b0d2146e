// Work of depthwise convolutions cut into parts that stay in the second cache: some rows of some
// channels of a sample, with zeros round them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "kernels/cnn.hpp"
#include "kernels/onednn/depthwise_axes.hpp"
#include "kernels/onednn/element.hpp"
#include "kernels/onednn/register_tile.hpp"

namespace nanoatlas::kernels::onednn {

/// Registers of channels in a tile: whole cache lines are read, and some after each other.
constexpr std::int64_t tile_blocks = 8;
/// f32 values of a tile.
constexpr std::int64_t tile_values = 64 * 1024;

/// Some rows of a sample, in some channels.
struct DepthwiseTile {
    std::int64_t sample, first_row, last_row;
    std::int64_t first_block, last_block;  ///< of tile_lanes channels
};

/// An image's rows and channels in tiles, as work for the threads.
class DepthwiseTiles {
  public:
    /// rows     how many are shared out
    /// most     rows of a tile
    DepthwiseTiles(std::int64_t samples, std::int64_t rows, std::int64_t channels,
                   std::int64_t most)
        : samples_(samples),
          rows_(rows),
          blocks_((channels + tile_lanes - 1) / tile_lanes),
          bands_((rows + most - 1) / most),
          chunks_((blocks_ + tile_blocks - 1) / tile_blocks) {}

    std::int64_t count() const { return samples_ * bands_ * chunks_; }
    std::int64_t most_rows() const { return (rows_ + bands_ - 1) / bands_; }
    std::int64_t blocks() const { return blocks_; }
    std::int64_t most_blocks() const { return (blocks_ + chunks_ - 1) / chunks_; }
    DepthwiseTile operator[](std::int64_t i) const {
        const auto chunk = i % chunks_, band = i / chunks_ % bands_;
        return {i / chunks_ / bands_, rows_ * band / bands_, rows_ * (band + 1) / bands_,
                blocks_ * chunk / chunks_, blocks_ * (chunk + 1) / chunks_};
    }

  private:
    std::int64_t samples_, rows_, blocks_, bands_, chunks_;
};

/// Rows of outputs in a tile, so that what they read fits; columns: of the padded tile.
inline std::int64_t rows_a_tile(const Axis& rows, std::int64_t columns, std::int64_t channels) {
    const auto blocks = std::min((channels + tile_lanes - 1) / tile_lanes, tile_blocks);
    const auto fit = tile_values / (blocks * tile_lanes * columns) - rows.reach(1);
    return std::clamp<std::int64_t>(fit / rows.stride + 1, 1, rows.most_outputs());
}

inline TileLanes load_tile_lanes(const float* from) {
    TileLanes lanes;
    std::memcpy(&lanes, from, sizeof lanes);
    return lanes;
}

/// Channels of a block; fewer in an image's last one.
inline std::int64_t block_channels(std::int64_t channels, std::int64_t block) {
    return std::min<std::int64_t>(tile_lanes, channels - block * tile_lanes);
}

/// Pixels of a tile as f32: [block][rows, columns, tile_lanes].
class PaddedTile {
  public:
    PaddedTile(std::int64_t blocks, std::int64_t rows, std::int64_t columns)
        : rows_(rows),
          columns_(columns),
          values_(static_cast<std::size_t>(blocks * rows * columns * tile_lanes)) {}

    std::int64_t row_step() const { return columns_ * tile_lanes; }
    const float* at(std::int64_t block, std::int64_t row, std::int64_t column) const {
        return values_.data() + block * rows_ * row_step() + row * row_step() + column * tile_lanes;
    }

    /// Rows [first_row, first_row + count) of the tile's sample, zeros where they lie outside; the
    /// image's first column becomes column `left` (0 or more; the same for all calls).
    template <class T>
    void copy(const T* images, const ImageShape& shape, const DepthwiseTile& tile,
              std::int64_t first_row, std::int64_t count, std::int64_t left) {
        const auto columns = std::min(shape.width, columns_ - left);
        for (std::int64_t row = 0; row < count; ++row) {
            const auto in = first_row + row;
            if (in < 0 || in >= shape.height) {
                for (auto block = tile.first_block; block < tile.last_block; ++block)
                    std::fill_n(to(block - tile.first_block, row), row_step(), 0.0F);
                continue;
            }
            const T* line =
                images + (tile.sample * shape.height + in) * shape.width * shape.channels;
            for (std::int64_t column = 0; column < columns; ++column, line += shape.channels) {
                ask_for(line + pixels_ahead * shape.channels, tile);
                for (auto block = tile.first_block; block < tile.last_block; ++block)
                    copy_pixel(line + block * tile_lanes, block_channels(shape.channels, block),
                               to(block - tile.first_block, row) + (left + column) * tile_lanes);
            }
        }
    }

  private:
    /// A few channels of each pixel are no stream that the processor would fetch ahead of itself.
    static constexpr std::int64_t pixels_ahead = 8;
    template <class T>
    static void ask_for(const T* pixel, const DepthwiseTile& tile) {
        constexpr auto line = static_cast<std::int64_t>(64 / sizeof(T));
        for (auto c = tile.first_block * tile_lanes; c < tile.last_block * tile_lanes; c += line)
            __builtin_prefetch(pixel + c);
    }
    float* to(std::int64_t block, std::int64_t row) {
        return values_.data() + block * rows_ * row_step() + row * row_step();
    }
    template <class T>
    static void copy_pixel(const T* from, std::int64_t channels, float* to) {
        if (channels == tile_lanes)
            for (std::int64_t c = 0; c < tile_lanes; ++c) to[c] = load(from[c]);
        else
            for (std::int64_t c = 0; c < channels; ++c) to[c] = load(from[c]);
    }

    std::int64_t rows_, columns_;
    std::vector<float> values_;
};

}  // namespace nanoatlas::kernels::onednn
