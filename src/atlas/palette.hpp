// Colours of categories: told apart on light and dark ground, and by colour-blind eyes as far as
// their number allows.
#pragma once

#include <string>
#include <vector>

namespace nanoatlas::atlas {

/// sRGB, each in [0, 1].
struct Colour {
    double red = 0, green = 0, blue = 0;
};

/// "#rrggbb"
std::string hex(const Colour& colour);

/// A colour from OKLCH (Ottosson 2020): lightness in [0, 1], chroma, hue [degrees]; chroma is
/// lowered until the colour exists in sRGB.
Colour from_oklch(double lightness, double chroma, double hue);

/// Distance in OKLab: 0.02 is just noticeable.
double colour_distance(const Colour& a, const Colour& b);

/// As seen without the cones for medium wavelengths (Viénot, Brettel, Mollon 1999).
Colour as_seen_by_deuteranope(const Colour& colour);

/// Up to eight: after Okabe and Ito's set for all kinds of colour vision. More: out of 216 colours
/// of OKLCH the one farthest from all taken before, with and without green cones, again and again;
/// so the first are the most different.
std::vector<std::string> palette(int count);

/// What has no category: noise, unlabelled, unknown.
inline constexpr const char* no_category_colour = "#8d939c";

}  // namespace nanoatlas::atlas
