// Letters of five by seven dots for the info bars.
#pragma once

#include <cstdint>
#include <string_view>

#include "synth/picture.hpp"

namespace nanoatlas::synth {

inline constexpr int letter_width = 6, letter_height = 8;  ///< with the gap, before magnifying

/// Draws Latin-1 text with its upper left corner at (x, y), each dot `dot` pixels wide; what lies
/// outside the picture is cut off.
void draw_text(Picture& picture, int x, int y, int dot, std::uint16_t grey, std::string_view text);

/// Fills columns [left, right) of rows [top, bottom).
void fill(Picture& picture, int left, int top, int right, int bottom, std::uint16_t grey);

}  // namespace nanoatlas::synth
