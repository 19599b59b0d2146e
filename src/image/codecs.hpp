// The decoders, one a format, each from memory to grey samples.
//
// All throw Unusable with the cause, check sizes before they allocate, print nothing, and are
// thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "image/grey_image.hpp"

namespace nanoatlas::image {

using Bytes = std::span<const std::uint8_t>;

/// Colour becomes luma (ITU-R BT.601). Damaged and truncated data is refused, not filled in.
Decoded decode_jpeg(Bytes file);
/// Transparency is dropped.
Decoded decode_png(Bytes file);
/// The first page that is no thumbnail. A grey palette keeps its grey values. Floats, 32-bit and
/// signed samples are spread over 0 .. 65535, smallest to largest.
Decoded decode_tiff(Bytes file);

/// Any of the three, told apart by their first bytes.
Decoded decode(Bytes file);

/// All bytes of a regular file.
std::vector<std::uint8_t> read_file(const std::string& path);

/// Refuses an image before memory is taken for it: below min_side, above max_pixels, or so large
/// that a file of this size cannot hold it. bytes_per_pixel: what decoding needs.
inline constexpr int min_side = 8;
inline constexpr std::uint64_t max_pixels = std::uint64_t{1} << 29;
void check_size(std::uint64_t width, std::uint64_t height, std::uint64_t file_bytes,
                std::uint64_t bytes_per_pixel = 1);

/// ITU-R BT.601 luma, of samples of any range.
inline std::uint16_t luma(std::uint32_t red, std::uint32_t green, std::uint32_t blue) {
    return static_cast<std::uint16_t>((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16);
}

}  // namespace nanoatlas::image
