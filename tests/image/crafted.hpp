// Image files of every kind, made on the spot by the same libraries that real files come from.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace nanoatlas::testing {

using FileBytes = std::vector<std::uint8_t>;

/// Value of channel c at (x, y), 0 .. 65535 (of 16 bits, of 8 the upper ones).
using Pattern = std::function<int(int x, int y, int channel)>;

/// A smooth hill with a few stripes: survives JPEG, and is different everywhere.
int hill(int x, int y, int channel);

struct JpegSpec {
    int width = 64, height = 48, channels = 1;  ///< 1 grey, 3 RGB, 4 CMYK as Adobe writes it
    int quality = 95;
    bool progressive = false;
};
FileBytes make_jpeg(const JpegSpec& spec = {}, const Pattern& pattern = hill);

struct PngSpec {
    int width = 64, height = 48, bits = 8;
    int channels = 1;  ///< 1 grey, 2 grey with alpha, 3 RGB, 4 RGBA; 0: a palette of 16 greys
    bool interlaced = false;
};
FileBytes make_png(const PngSpec& spec = {}, const Pattern& pattern = hill);

enum class Samples { unsigned_whole, signed_whole, floating };

struct TiffSpec {
    int width = 64, height = 48, bits = 8, channels = 1;
    Samples samples = Samples::unsigned_whole;
    int photometric = 1;  ///< 0 white is zero, 1 black is zero, 2 RGB, 3 palette, 5 CMYK
    int compression = 1;  ///< 1 none, 5 LZW, 8 deflate, 32773 PackBits
    int tile = 0;         ///< side of tiles, a multiple of 16; 0: strips of 5 rows
    bool separate = false, big_endian = false;
    bool inverse_palette = false;
    int thumbnails_before = 0, pages_after = 0;
    std::vector<std::pair<int, std::string>> texts{};  ///< private tags
};
FileBytes make_tiff(const TiffSpec& spec = {}, const Pattern& pattern = hill);

/// IDX of count images [height, width], image i all of value i mod 256; and of labels i mod 10.
FileBytes make_idx_images(int count, int height, int width);
FileBytes make_idx_labels(int count);
FileBytes gzip(const FileBytes& plain);

void write_file(const std::string& path, const FileBytes& bytes);
void write_file(const std::string& path, const std::string& text);

}  // namespace nanoatlas::testing
