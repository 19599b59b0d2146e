#include "image/text.hpp"

#include <cstdint>

namespace nanoatlas::image {
namespace {

/// Bytes of the UTF-8 character that begins at i; 0 if there is no valid one.
std::size_t character_length(std::string_view text, std::size_t i) {
    const auto byte = [text](std::size_t at) { return static_cast<std::uint8_t>(text[at]); };
    const std::uint8_t lead = byte(i);
    const std::size_t length = lead < 0x80                    ? 1
                               : lead >= 0xC2 && lead <= 0xDF ? 2
                               : lead >= 0xE0 && lead <= 0xEF ? 3
                               : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                              : 0;
    if (length == 0 || i + length > text.size()) return 0;
    for (std::size_t k = 1; k < length; ++k)
        if ((byte(i + k) & 0xC0) != 0x80) return 0;
    const bool overlong =
        (lead == 0xE0 && byte(i + 1) < 0xA0) || (lead == 0xF0 && byte(i + 1) < 0x90);
    const bool surrogate = lead == 0xED && byte(i + 1) >= 0xA0;
    const bool too_large = lead == 0xF4 && byte(i + 1) >= 0x90;
    return overlong || surrogate || too_large ? 0 : length;
}

bool is_utf8(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const auto length = character_length(text, i);
        if (length == 0) return false;
        i += length;
    }
    return true;
}

}  // namespace

std::string to_utf8(std::string_view text) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    const bool latin = !is_utf8(text);
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        const auto byte = static_cast<std::uint8_t>(c);
        const bool control = byte < 32 ? c != '\t' && c != '\r' && c != '\n' : byte == 127;
        if (control) continue;
        if (byte < 128 || !latin) {
            out += c;
        } else {
            out += static_cast<char>(0xC0 | (byte >> 6));
            out += static_cast<char>(0x80 | (byte & 0x3F));
        }
    }
    return out;
}

}  // namespace nanoatlas::image
