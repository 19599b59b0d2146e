#include "ingest/assignments.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/check.hpp"
#include "base/log.hpp"

namespace nanoatlas::ingest {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";  // spreadsheets begin tables with it
constexpr std::array<std::string_view, 4> path_columns = {"path", "file", "image", "filename"};

/// The cells of one line; quotes may hold commas and, doubled, quotes.
std::vector<std::string> cells_of(const std::string& line) {
    std::vector<std::string> cells(1);
    bool quoted = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"')
            cells.back() += line[++i];
        else if (c == '"')
            quoted = !quoted;
        else if (c == ',' && !quoted)
            cells.emplace_back();
        else
            cells.back() += c;
    }
    return cells;
}

std::string file_name(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

struct Columns {
    std::size_t path = 0, value = 1;
    bool in_header = false;
};

Columns find_columns(const std::vector<std::string>& first_line, const std::string& column) {
    const auto find = [&](std::string_view name) {
        return static_cast<std::size_t>(std::find(first_line.begin(), first_line.end(), name) -
                                        first_line.begin());
    };
    for (const auto name : path_columns)
        if (find(name) < first_line.size())
            return {find(name), std::min(find(column), first_line.size()), true};
    return {};
}

}  // namespace

std::optional<std::string> csv_file(const std::string& option) {
    const std::string prefix = "csv:";
    return option.starts_with(prefix) ? std::optional(option.substr(prefix.size())) : std::nullopt;
}

Assignments Assignments::read(const std::string& csv, const std::string& column,
                              const comm::Communicator& comm) {
    std::string text;
    comm.on_root([&] {
        std::ifstream file(csv);
        std::stringstream content;
        content << file.rdbuf();
        VALIDATE(file.good(), "cannot read the table '{}' ({}); give a readable file", csv,
                 errno != 0 ? std::strerror(errno) : "it is empty");
        text = content.str();
    });
    return {comm.broadcast(std::move(text)), csv, column};
}

Assignments::Assignments(const std::string& text, const std::string& name,
                         const std::string& column)
    : name_(name) {
    std::istringstream lines(text);
    Columns columns;
    std::int64_t number = 0;
    for (std::string line; std::getline(lines, line);) {
        if (!line.empty() && line.back() == '\r') line.pop_back();
        ++number;
        if (number == 1 && line.starts_with(byte_order_mark)) line.erase(0, byte_order_mark.size());
        if (line.empty()) continue;
        const auto cells = cells_of(line);
        if (number == 1) {
            columns = find_columns(cells, column);
            VALIDATE(columns.value < cells.size(),
                     "cannot use the table '{}' (it has no column '{}'); give 'path,{}' lines",
                     name, column, column);
            if (columns.in_header) continue;
        }
        VALIDATE(std::max(columns.path, columns.value) < cells.size(),
                 "cannot read line {} of '{}' (it has {} columns); give 'path,{}' lines", number,
                 name, cells.size(), column);
        values_[cells[columns.path]] = cells[columns.value];
    }
}

std::vector<std::optional<std::string>> Assignments::match(
    const std::vector<image::Source>& sources) const {
    std::unordered_map<std::string, int> images_of_name;
    for (const auto& source : sources) ++images_of_name[file_name(source.path)];
    std::vector<std::optional<std::string>> matched;
    std::int64_t missing = 0;
    for (const auto& source : sources) {
        auto found = values_.find(source.path);
        if (found == values_.end()) found = values_.find(source.relative);
        const auto name = file_name(source.path);
        if (found == values_.end() && images_of_name[name] == 1) found = values_.find(name);
        const bool known = found != values_.end() && !found->second.empty();
        matched.push_back(known ? std::optional(found->second) : std::nullopt);
        missing += known ? 0 : 1;
    }
    const auto count = static_cast<std::int64_t>(sources.size());
    VALIDATE(
        missing < count,
        "cannot use the table '{}' (none of its {} paths is that of an image); give paths as they "
        "stand below --images",
        name_, values_.size());
    if (missing > 0)
        base::log_warning(fmt::format("{} of {} images are not in '{}'", missing, count, name_));
    return matched;
}

}  // namespace nanoatlas::ingest
