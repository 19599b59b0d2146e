#include "atlas/palette.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace nanoatlas::atlas {
namespace {

double to_linear(double s) {
    return s <= 0.04045 ? s / 12.92 : std::pow((s + 0.055) / 1.055, 2.4);
}

double to_srgb(double linear) {
    return linear <= 0.0031308 ? 12.92 * linear : 1.055 * std::pow(linear, 1 / 2.4) - 0.055;
}

std::array<double, 3> to_oklab(const Colour& c) {
    const double r = to_linear(c.red), g = to_linear(c.green), b = to_linear(c.blue);
    const double l = std::cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
    const double m = std::cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
    const double s = std::cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
    return {0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
            1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
            0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s};
}

/// Linear light; outside [0, 1] where sRGB has no such colour.
std::array<double, 3> linear_from_oklch(double lightness, double chroma, double hue) {
    const double angle = hue * std::numbers::pi / 180;
    const double a = chroma * std::cos(angle), b = chroma * std::sin(angle);
    const double l = std::pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3);
    const double m = std::pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3);
    const double s = std::pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3);
    return {4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
            -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
            -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s};
}

/// Colours that show on light and dark ground.
std::vector<Colour> candidate_colours() {
    std::vector<Colour> colours;
    for (const double chroma : {0.14, 0.07})
        for (const double lightness : {0.66, 0.54, 0.8})
            for (int hue = 0; hue < 360; hue += 10)
                colours.push_back(from_oklch(lightness, chroma, (250 + hue) % 360));
    return colours;
}

double apparent_distance(const Colour& a, const Colour& b) {
    return 0.6 * colour_distance(a, b) +
           0.4 * colour_distance(as_seen_by_deuteranope(a), as_seen_by_deuteranope(b));
}

}  // namespace

std::string hex(const Colour& colour) {
    const auto byte = [](double v) {
        return static_cast<int>(std::lround(255 * std::clamp(v, 0.0, 1.0)));
    };
    return fmt::format("#{:02x}{:02x}{:02x}", byte(colour.red), byte(colour.green),
                       byte(colour.blue));
}

Colour from_oklch(double lightness, double chroma, double hue) {
    const auto exists = [](const std::array<double, 3>& linear) {
        return std::all_of(linear.begin(), linear.end(),
                           [](double v) { return v >= -1e-3 && v <= 1 + 1e-3; });
    };
    auto linear = linear_from_oklch(lightness, chroma, hue);
    while (!exists(linear) && chroma > 0.005)
        linear = linear_from_oklch(lightness, chroma -= 0.005, hue);
    for (double& v : linear) v = to_srgb(std::clamp(v, 0.0, 1.0));
    return {.red = linear[0], .green = linear[1], .blue = linear[2]};
}

double colour_distance(const Colour& a, const Colour& b) {
    const auto p = to_oklab(a), q = to_oklab(b);
    return std::hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
}

Colour as_seen_by_deuteranope(const Colour& colour) {
    const double r = to_linear(colour.red), g = to_linear(colour.green), b = to_linear(colour.blue);
    const double yellow = 0.29275 * r + 0.70725 * g;
    const double blue = -0.02234 * r + 0.02234 * g + b;
    const auto limited = [](double v) { return to_srgb(std::clamp(v, 0.0, 1.0)); };
    return {.red = limited(yellow), .green = limited(yellow), .blue = limited(blue)};
}

std::vector<std::string> palette(int count) {
    // Okabe and Ito 2008, black replaced by wine and yellow darkened for grounds of either kind.
    static const std::array<const char*, 8> few = {"#0072b2", "#e69f00", "#009e73", "#cc79a7",
                                                   "#56b4e9", "#d55e00", "#dfcf30", "#9b1d5a"};
    if (count <= static_cast<int>(few.size()))
        return {few.begin(), few.begin() + std::max(count, 0)};
    const auto candidates = candidate_colours();
    std::vector<double> gap(candidates.size(), 1);  // to the nearest colour taken so far
    std::vector<std::string> colours;
    std::size_t next = 0;
    while (std::ssize(colours) < count) {
        const auto& taken = candidates[next];
        colours.push_back(hex(taken));
        for (std::size_t c = 0; c < candidates.size(); ++c)
            gap[c] = std::min(gap[c], apparent_distance(candidates[c], taken));
        next = static_cast<std::size_t>(std::max_element(gap.begin(), gap.end()) - gap.begin());
        if (gap[next] == 0) std::fill(gap.begin(), gap.end(), 1);  // all are taken: once more
    }
    return colours;
}

}  // namespace nanoatlas::atlas
