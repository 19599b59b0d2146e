#include "atlas/text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

namespace nanoatlas::atlas {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

/// Bytes of the UTF-8 character at the front of text; 0 if there is none (RFC 3629: no overlong
/// forms, no surrogates, nothing above U+10FFFF).
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first < 0xE0) return follows(1) ? 2 : 0;
    if (first >= 0xE0 && first < 0xF0) {
        const bool in_range =
            (first != 0xE0 || byte(1) >= 0xA0) && (first != 0xED || byte(1) < 0xA0);
        return in_range && follows(1) && follows(2) ? 3 : 0;
    }
    if (first >= 0xF0 && first < 0xF5) {
        const bool in_range =
            (first != 0xF0 || byte(1) >= 0x90) && (first != 0xF4 || byte(1) < 0x90);
        return in_range && follows(1) && follows(2) && follows(3) ? 4 : 0;
    }
    return 0;
}

/// Calls write for each character of text, valid or replaced.
template <class Write>
void for_each_character(std::string_view text, Write write) {
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        write(length == 0 ? replacement : text.substr(0, length));
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
}

}  // namespace

std::string escape_html(std::string_view text) {
    std::string escaped;
    for_each_character(text, [&](std::string_view character) {
        const char c = character.front();
        if (c == '&')
            escaped += "&amp;";
        else if (c == '<')
            escaped += "&lt;";
        else if (c == '>')
            escaped += "&gt;";
        else if (c == '"')
            escaped += "&quot;";
        else if (c == '\'')
            escaped += "&#39;";
        else if ((static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\t') || c == 0x7F)
            escaped += replacement;
        else
            escaped += character;
    });
    return escaped;
}

std::string quote_script(std::string_view text) {
    std::string quoted = "\"";
    for_each_character(text, [&](std::string_view character) {
        const char c = character.front();
        if (c == '"' || c == '\\') {
            quoted += '\\';
            quoted += c;
        } else if ((c >= 0 && c < ' ') || c == '<' || c == 0x7F) {
            quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else if (character == "\u2028") {
            quoted += "\\u2028";
        } else if (character == "\u2029") {
            quoted += "\\u2029";
        } else {
            quoted += character;
        }
    });
    return quoted + '"';
}

std::string base64(std::span<const std::byte> bytes) {
    static_assert(std::endian::native == std::endian::little);
    constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t left = std::min<std::size_t>(3, bytes.size() - i);
        unsigned group = 0;
        for (std::size_t b = 0; b < 3; ++b)
            group = group << 8 | (b < left ? std::to_integer<unsigned>(bytes[i + b]) : 0U);
        for (std::size_t d = 0; d < 4; ++d)
            text += d <= left ? digits[group >> (18 - 6 * d) & 63U] : '=';
    }
    return text;
}

std::string count_text(std::int64_t count) {
    std::string digits = std::to_string(count);
    const int first = count < 0 ? 1 : 0;
    for (int at = static_cast<int>(digits.size()) - 3; at > first; at -= 3)
        digits.insert(static_cast<std::size_t>(at), ",");
    return digits;
}

std::string si_text(double value, std::string_view unit) {
    if (!std::isfinite(value)) return "unknown";
    if (value == 0) return fmt::format("0 {}", unit);
    constexpr std::array<const char*, 9> prefixes = {"p", "n", "µ", "m", "", "k", "M", "G", "T"};
    int step = static_cast<int>(std::floor(std::log10(std::abs(value)) / 3));
    step = std::clamp(step, -4, 4);
    return fmt::format("{:.3g} {}{}", value / std::pow(1000.0, step),
                       prefixes[static_cast<std::size_t>(step + 4)], unit);
}

std::string number_text(double value) {
    return std::isfinite(value) ? fmt::format("{:.3g}", value) : "–";
}

std::string percent_text(std::int64_t part, std::int64_t whole) {
    if (whole == 0) return "–";
    return fmt::format("{:.1f} %", 100 * static_cast<double>(part) / static_cast<double>(whole));
}

}  // namespace nanoatlas::atlas
