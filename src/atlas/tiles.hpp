// Thumbnails in sheets: many small pictures in one JPEG, so that a browser loads few files.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace nanoatlas::atlas {

/// Tiles in reading order: tile t lies in sheet t / per_sheet(), at column and row of its rest.
struct SheetLayout {
    int tile = 64;     ///< side of a tile [px]
    int columns = 16;  ///< tiles side by side
    int rows = 16;     ///< rows of tiles in a full sheet
    std::int64_t tiles = 0;

    int per_sheet() const { return columns * rows; }
    std::int64_t sheets() const { return (tiles + per_sheet() - 1) / per_sheet(); }
    std::int64_t tiles_in(std::int64_t sheet) const;
    /// The last sheet is only as high as it needs to be.
    int rows_in(std::int64_t sheet) const;
};

/// For a map of this many images of this stored side: tiles of 192 px where they are few, of 128,
/// then of 64, never larger than the images are; sheets of about 1024 x 1024.
SheetLayout map_sheets(std::int64_t images, int stored_side);

/// A grey image [height, width] as a square tile: scaled by the mean over areas so that its longer
/// side fills the tile, black beside it. The tile must not be larger than that side.
std::vector<std::uint8_t> shrink(std::span<const std::uint8_t> image, int height, int width,
                                 int tile);

/// Grey pixels [height, width] as JPEG. throws EnvironmentError if the library fails
std::string encode_jpeg(std::span<const std::uint8_t> pixels, int height, int width, int quality);

/// Draws one sheet: tiles[i] is what shrink() made of the i-th of its images.
std::vector<std::uint8_t> draw_sheet(const SheetLayout& layout, std::int64_t sheet,
                                     std::span<const std::vector<std::uint8_t>> tiles);

}  // namespace nanoatlas::atlas
