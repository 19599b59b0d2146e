// Reads a file of a synthesis through libtiff, libjpeg or libpng, with its vendor header.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "synth/files.hpp"

namespace nanoatlas::synth::testing {

/// A library gave up, or warned that it made something up.
struct Unreadable : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Image {
    int width = 0, height = 0, bits = 0;
    std::vector<std::uint16_t> pixels;  ///< as stored
    unsigned header_tag = 0;
    std::string header;
    int at(int x, int y) const { return pixels[static_cast<std::size_t>(y * width + x)]; }
};

Image read_image(const File& file);

}  // namespace nanoatlas::synth::testing
