// Pictures as files in memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "synth/picture.hpp"

namespace nanoatlas::synth {

using Bytes = std::vector<std::uint8_t>;

struct TiffOptions {
    int bits = 8;          ///< 8 or 16
    bool palette = false;  ///< 8-bit grey by a colour map, as Zeiss writes
    bool lzw = false;
    unsigned header_tag = 0;  ///< 0: none
    std::string header = {};
};
Bytes encode_tiff(const Picture& picture, const TiffOptions& options);

Bytes encode_jpeg(const Picture& picture, int quality);

/// bits: 8 or 16
Bytes encode_png(const Picture& picture, int bits);

}  // namespace nanoatlas::synth
