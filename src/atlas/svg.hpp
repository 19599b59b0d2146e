// Pieces of SVG that charts are put together from; styles are classes of web/atlas.css.
#pragma once

#include <string>

namespace nanoatlas::atlas {

/// title: said to those who don't see the picture
std::string svg(double width, double height, const std::string& title, const std::string& inside);
std::string svg_line(double x1, double y1, double x2, double y2, const char* style);
/// anchor: start | middle | end
std::string svg_text(double x, double y, const char* anchor, const std::string& text);

/// A picture of svg() as a file of its own, with the styles that line charts need; on white, so
/// that it prints.
std::string svg_file(const std::string& picture);

}  // namespace nanoatlas::atlas
