// Finding the info bar: the strip of text that microscopes write below or above the picture.
#pragma once

#include "image/prepare.hpp"

namespace nanoatlas::image {

/// What the options, else the header, else the image itself say.
/// throws Unusable if the option leaves no picture
Bar find_bar(const Decoded& decoded, const PrepareOptions& options);

/// By the image alone: rows at the bottom or the top that are mostly one exact background value
/// with some ink on it, up to a quarter of the height, ending abruptly.
Bar find_bar_in_image(const GreyImage& image);

/// By FEI's and ThermoFisher's DatabarHeight (0: none is said, or the file was saved without it).
int bar_rows_in_header(const Decoded& decoded);

}  // namespace nanoatlas::image
