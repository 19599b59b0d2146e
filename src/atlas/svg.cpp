#include "atlas/svg.hpp"

#include <fmt/core.h>

#include "atlas/text.hpp"

namespace nanoatlas::atlas {

std::string svg(double width, double height, const std::string& title, const std::string& inside) {
    return fmt::format(R"(<svg class="chart" viewBox="0 0 {:.0f} {:.0f}" width="{:.0f}" )"
                       R"(height="{:.0f}" role="img" aria-label="{}">{}</svg>)",
                       width, height, width, height, escape_html(title), inside);
}

std::string svg_line(double x1, double y1, double x2, double y2, const char* style) {
    return fmt::format(R"(<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>)",
                       style, x1, y1, x2, y2);
}

std::string svg_text(double x, double y, const char* anchor, const std::string& text) {
    return fmt::format(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>)", x, y, anchor,
                       escape_html(text));
}

std::string svg_file(const std::string& picture) {
    constexpr const char* style = R"(<style>
svg { background: #fff; font-family: system-ui, sans-serif; font-size: 12px; fill: #333; }
.axis { stroke: #333; }
.grid { stroke: #ddd; }
.ideal { stroke: #333; stroke-dasharray: 2 3; }
.curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
.curve.first { stroke: #0072b2; }
.curve.second { stroke: #d55e00; stroke-dasharray: 6 4; }
.curve.third { stroke: #009e73; stroke-dasharray: 2 3; }
.curve.bars { stroke-width: 1.2; stroke-dasharray: none; }
.curve.faint { stroke: #888; stroke-width: 1; }
circle.first { fill: #0072b2; }
rect.second { fill: #d55e00; }
polygon.third { fill: #009e73; }
</style>
)";
    const auto open = picture.find('>');
    return R"(<svg xmlns="http://www.w3.org/2000/svg")" + picture.substr(4, open - 3) + style +
           picture.substr(open + 1) + "\n";
}

}  // namespace nanoatlas::atlas
