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

}  // namespace nanoatlas::atlas
