// Text of instruments, in whatever encoding, as UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace nanoatlas::image {

/// As it is where it is valid UTF-8 (a byte order mark is dropped); else read as ISO 8859-1, as
/// instruments write the micro and degree signs. Control characters but tab, CR and LF are dropped.
std::string to_utf8(std::string_view text);

}  // namespace nanoatlas::image
