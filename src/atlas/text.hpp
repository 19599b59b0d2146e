// Text that is safe where it is put: in HTML, in scripts, in addresses; and figures as people read
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace nanoatlas::atlas {

/// For text and for attributes in double quotes: & < > " ' become references, control characters
/// and bytes that are no UTF-8 become U+FFFD.
std::string escape_html(std::string_view text);

/// A JavaScript string in double quotes that may stand in a script file or a <script> element:
/// escaped as JSON, and < and U+2028/9 as \u....
std::string quote_script(std::string_view text);

std::string base64(std::span<const std::byte> bytes);
/// The memory of a column of numbers; readers assume little endian.
template <class T>
requires std::is_arithmetic_v<T> std::string base64(std::span<const T> values) {
    return base64(std::as_bytes(values));
}

/// "1,234,567"
std::string count_text(std::int64_t count);
/// Three digits and a prefix: "12.5 nm", "1.04 µm"; "unknown" for NaN. value in the unit.
std::string si_text(double value, std::string_view unit);
/// Three significant digits; "–" for NaN and infinities.
std::string number_text(double value);
/// "12.3 %"; "–" where whole is 0.
std::string percent_text(std::int64_t part, std::int64_t whole);

}  // namespace nanoatlas::atlas
