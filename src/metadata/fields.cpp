#include "metadata/fields.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numbers>

namespace nanoatlas::metadata {
namespace {

struct Unit {
    std::string_view name;
    double factor;
};

// Micro is written as U+00B5, as U+03BC or as u.
constexpr std::array units = {Unit{"", 1},
                              Unit{"V", 1},
                              Unit{"kV", 1e3},
                              Unit{"Volt", 1},
                              Unit{"m", 1},
                              Unit{"mm", 1e-3},
                              Unit{"\u00b5m", 1e-6},
                              Unit{"\u03bcm", 1e-6},
                              Unit{"um", 1e-6},
                              Unit{"nm", 1e-9},
                              Unit{"pm", 1e-12},
                              Unit{"fm", 1e-15},
                              Unit{"cm", 1e-2},
                              Unit{"X", 1},
                              Unit{"x", 1},
                              Unit{"K X", 1e3},
                              Unit{"KX", 1e3},
                              Unit{"kx", 1e3},
                              Unit{"A", 1},
                              Unit{"mA", 1e-3},
                              Unit{"\u00b5A", 1e-6},
                              Unit{"\u03bcA", 1e-6},
                              Unit{"uA", 1e-6},
                              Unit{"nA", 1e-9},
                              Unit{"pA", 1e-12},
                              Unit{"s", 1},
                              Unit{"Secs", 1},
                              Unit{"ms", 1e-3},
                              Unit{"\u00b5s", 1e-6},
                              Unit{"us", 1e-6},
                              Unit{"ns", 1e-9},
                              Unit{"Pa", 1},
                              Unit{"mbar", 100},
                              Unit{"Torr", 133.322},
                              Unit{"\u00b0", std::numbers::pi / 180},
                              Unit{"deg", std::numbers::pi / 180}};

constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/// The words between any of the separators.
std::vector<std::string_view> words(std::string_view text, std::string_view separators) {
    std::vector<std::string_view> found;
    while (!text.empty()) {
        const auto end = std::min(text.find_first_of(separators), text.size());
        if (end > 0) found.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return found;
}

std::optional<int> whole_number(std::string_view text) {
    int value = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool all = result.ec == std::errc{} && result.ptr == text.data() + text.size();
    return all ? std::optional(value) : std::nullopt;
}

std::optional<int> month_number(std::string_view text) {
    const auto at = std::find(months.begin(), months.end(), text.substr(0, 3));
    return at == months.end() ? whole_number(text) : static_cast<int>(at - months.begin()) + 1;
}

}  // namespace

const std::string* Fields::find(std::string_view name) const {
    const auto at = std::find_if(fields_.begin(), fields_.end(),
                                 [&](const auto& field) { return field.first == name; });
    return at == fields_.end() ? nullptr : &at->second;
}

std::string Fields::text(std::string_view name) const {
    const auto* value = find(name);
    return value == nullptr ? "" : *value;
}

std::string Fields::first_text(std::initializer_list<std::string_view> names) const {
    for (const auto name : names)
        if (auto value = text(name); !value.empty()) return value;
    return "";
}

std::optional<double> Fields::number(std::string_view name) const {
    const auto* value = find(name);
    return value == nullptr ? std::nullopt : quantity(*value);
}

Fields parse_ini(std::string_view text) {
    Fields fields;
    std::string section;
    for (const auto& line : split_lines(text)) {
        if (line.size() > 2 && line.front() == '[' && line.back() == ']') {
            section = line.substr(1, line.size() - 2) + ".";
            continue;
        }
        const auto equals = line.find('=');
        if (equals == std::string::npos) continue;
        fields.add(section + trimmed(line.substr(0, equals)), trimmed(line.substr(equals + 1)));
    }
    return fields;
}

std::optional<double> quantity(std::string_view text) {
    const auto first = text.find_first_of("+-.0123456789");
    if (first == std::string_view::npos) return {};
    const auto before = trimmed(text.substr(0, first));
    if (!before.empty() && before != "=" && before != "x" && before != "X" && before != ":")
        return {};
    text.remove_prefix(text[first] == '+' ? first + 1 : first);
    double value = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    if (result.ec != std::errc{} || !std::isfinite(value)) return {};
    const auto name = trimmed(text.substr(static_cast<std::size_t>(result.ptr - text.data())));
    const auto unit =
        std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.name == name; });
    return unit == units.end() ? std::nullopt : std::optional(value * unit->factor);
}

std::string trimmed(std::string_view text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return std::string(text);
}

std::vector<std::string> split_lines(std::string_view text) {
    std::vector<std::string> lines;
    for (const auto line : words(text, "\r\n")) lines.push_back(trimmed(line));
    return lines;
}

std::string iso_date_time(std::string_view date, std::string_view time) {
    const auto parts = words(date, " .-/");
    if (parts.size() < 3) return "";
    const bool year_first = parts[0].size() == 4;
    const auto year = whole_number(parts[year_first ? 0 : 2]), month = month_number(parts[1]),
               day = whole_number(parts[year_first ? 2 : 0]);
    const bool plausible = year && month && day && *year > 1900 && *year < 2200 && *month >= 1 &&
                           *month <= 12 && *day >= 1 && *day <= 31;
    if (!plausible) return "";
    const auto iso = fmt::format("{:04}-{:02}-{:02}", *year, *month, *day);
    const auto clock = trimmed(time);
    return clock.size() < 8 || clock[2] != ':' ? iso : iso + "T" + clock.substr(0, 8);
}

}  // namespace nanoatlas::metadata
