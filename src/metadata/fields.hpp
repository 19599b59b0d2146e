// Headers of instruments as fields, and their values as numbers in SI units.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nanoatlas::metadata {

/// Names and values in the order of a header; the first of equal names counts.
class Fields {
  public:
    void add(std::string name, std::string value) {
        fields_.emplace_back(std::move(name), std::move(value));
    }
    bool has(std::string_view name) const { return find(name) != nullptr; }
    /// "" if there is none.
    std::string text(std::string_view name) const;
    /// The first of these names that has a value.
    std::string first_text(std::initializer_list<std::string_view> names) const;
    /// As quantity() reads it.
    std::optional<double> number(std::string_view name) const;
    const std::vector<std::pair<std::string, std::string>>& all() const { return fields_; }

  private:
    const std::string* find(std::string_view name) const;
    std::vector<std::pair<std::string, std::string>> fields_;
};

/// "[Section]" and "key=value" lines; names become "Section.key".
Fields parse_ini(std::string_view text);

/// "10.00 kV", "11.16 nm", "10.00 K X", "x500", "= 4.28 kV", "1e-3": the number in SI units.
/// Nothing if there is no number or the unit is unknown.
std::optional<double> quantity(std::string_view text);

std::string trimmed(std::string_view text);
std::vector<std::string> split_lines(std::string_view text);

/// Day, month and year in any of "2020-08-18", "18.08.2020", "9 Dec 2019", and "13:40:03" as
/// "2020-08-18T13:40:03"; "" if the date makes no sense. time may be empty.
std::string iso_date_time(std::string_view date, std::string_view time);

}  // namespace nanoatlas::metadata
