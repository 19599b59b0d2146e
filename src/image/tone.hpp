// How samples of any depth become 8 bits.
#pragma once

#include "image/prepare.hpp"

namespace nanoatlas::image {

/// For rows [first, end) of the image: 8-bit images stay as they are unless their contrast is low;
/// those and all 16-bit ones are spread between their 0.5 % and 99.5 % percentiles.
Tone choose_tone(const GreyImage& image, int first, int end);

}  // namespace nanoatlas::image
