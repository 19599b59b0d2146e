#include "store/text_table.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "base/check.hpp"
#include "store/agree.hpp"

namespace nanoatlas::store {
namespace {

constexpr std::string_view blanks = " \t\r";

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string_view without_quotes(std::string_view field) {
    const bool quoted = field.size() >= 2 && field.front() == '"' && field.back() == '"';
    return quoted ? field.substr(1, field.size() - 2) : field;
}

bool holds_data(std::string_view line) {
    const auto text = trimmed(line);
    return !text.empty() && text.front() != '#';
}

/// ',' or ';' where the line has one, else ' ' for any run of blanks.
char separator_of(std::string_view line) {
    if (line.find(';') != std::string_view::npos) return ';';
    return line.find(',') != std::string_view::npos ? ',' : ' ';
}

void split(std::string_view line, char separator, std::vector<std::string_view>& fields) {
    fields.clear();
    line = trimmed(line);
    while (true) {
        const auto end = separator == ' ' ? line.find_first_of(blanks) : line.find(separator);
        fields.push_back(without_quotes(trimmed(line.substr(0, end))));
        if (end == std::string_view::npos) return;
        line.remove_prefix(end + 1);
        if (separator == ' ') line = trimmed(line);
    }
}

/// Lines that begin in bytes [first, end) of a file.
class Lines {
  public:
    Lines(const std::string& path, std::int64_t first, std::int64_t end)
        : file_(path, std::ios::binary), position_(first), end_(end) {
        VALIDATE(file_ && !std::filesystem::is_directory(path),
                 "cannot read '{}' (no such file, or no permission); check the name", path);
        if (first == 0) {
            skip_byte_order_mark();
        } else {  // the line under way belongs to the rank before
            file_.seekg(first - 1);
            std::getline(file_, line_);
            position_ += static_cast<std::int64_t>(line_.size());
        }
    }
    bool next() {
        if (position_ >= end_ || !std::getline(file_, line_)) return false;
        position_ += static_cast<std::int64_t>(line_.size()) + 1;
        ++count_;
        return true;
    }
    const std::string& text() const { return line_; }
    std::int64_t count() const { return count_; }

  private:
    void skip_byte_order_mark() {
        char mark[3] = {};
        file_.read(mark, sizeof mark);
        const bool marked = file_ && std::string_view(mark, 3) == "\xEF\xBB\xBF";
        file_.clear();
        file_.seekg(marked ? 3 : 0);
        if (marked) position_ = 3;
    }

    std::ifstream file_;
    std::int64_t position_, end_;
    std::string line_;
    std::int64_t count_ = 0;
};

std::int64_t size_of(const std::string& path) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    VALIDATE(!error, "cannot read '{}' ({}); check the name", path, error.message());
    return static_cast<std::int64_t>(size);
}

/// What the first line with data says about all.
struct Layout {
    std::int64_t size = 0;  ///< bytes of the file
    std::int64_t columns = 0;
    std::int64_t header_line = 0;  ///< 0: none
    char separator = ' ';
};

Layout find_layout(const std::string& path) {
    Layout layout{.size = size_of(path)};
    Lines lines(path, 0, layout.size);
    while (lines.next() && !holds_data(lines.text())) {
    }
    VALIDATE(holds_data(lines.text()), "'{}' is empty; give a table with a row a line", path);
    layout.separator = separator_of(lines.text());
    std::vector<std::string_view> fields;
    split(lines.text(), layout.separator, fields);
    layout.columns = static_cast<std::int64_t>(fields.size());
    double number = 0;
    const bool any_number = std::any_of(fields.begin(), fields.end(),
                                        [&](auto field) { return parse_number(field, number); });
    if (!any_number) layout.header_line = lines.count();
    return layout;
}

/// The rows of a part of the file, as far as its first mistake.
template <class T>
struct Part {
    std::vector<T> values;
    std::int64_t lines = 0;
    std::int64_t wrong_line = 0;  ///< counted in the part, from 1; 0: none
    std::string mistake;
};

template <class T>
void parse_line(const std::vector<std::string_view>& fields, const Layout& layout, Part<T>& part) {
    if (static_cast<std::int64_t>(fields.size()) != layout.columns) {
        part.mistake =
            fmt::format("has {} fields where the first line has {}", fields.size(), layout.columns);
        return;
    }
    for (const auto field : fields) {
        double value = 0;
        if (!parse_number(field, value)) {
            part.mistake = fmt::format("has '{}', which is no number",
                                       field.substr(0, std::min<std::size_t>(field.size(), 40)));
            return;
        }
        part.values.push_back(static_cast<T>(value));
    }
}

template <class T>
Part<T> parse_part(const std::string& path, const Layout& layout, std::int64_t first,
                   std::int64_t end) {
    Part<T> part;
    Lines lines(path, first, end);
    std::vector<std::string_view> fields;
    while (lines.next()) {
        const bool header = first == 0 && lines.count() == layout.header_line;
        if (header || !part.mistake.empty() || !holds_data(lines.text())) continue;
        split(lines.text(), layout.separator, fields);
        parse_line(fields, layout, part);
        if (!part.mistake.empty()) part.wrong_line = lines.count();
    }
    part.lines = lines.count();
    return part;
}

/// Rows as the ranks parsed them, moved to the ranks that keep them.
template <class T>
Matrix<T> redistribute(const std::vector<T>& values, std::int64_t columns,
                       const comm::Communicator& comm) {
    const auto mine = static_cast<std::int64_t>(values.size()) / columns;
    const auto first = comm.exclusive_sum(mine);
    const comm::BlockDistribution blocks(comm.sum(mine), comm.size());
    std::vector<std::vector<T>> parts(static_cast<std::size_t>(comm.size()));
    for (int rank = 0; rank < comm.size(); ++rank) {
        const auto block = blocks.block(rank);
        const auto from = std::clamp<std::int64_t>(block.first - first, 0, mine);
        const auto to = std::clamp<std::int64_t>(block.end() - first, 0, mine);
        parts[static_cast<std::size_t>(rank)].assign(values.begin() + from * columns,
                                                     values.begin() + to * columns);
    }
    Matrix<T> matrix{.rows = blocks.block(comm.rank()), .columns = columns, .values = {}};
    for (const auto& part : comm.exchange(parts))
        matrix.values.insert(matrix.values.end(), part.begin(), part.end());
    return matrix;
}

}  // namespace

bool parse_number(std::string_view field, double& value) {
    if (field.starts_with('+')) field.remove_prefix(1);
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
    return error == std::errc() && end == field.data() + field.size();
}

template <class T>
Matrix<T> read_text_table(const std::string& path, const comm::Communicator& comm) {
    Layout layout;
    comm.on_root([&] { layout = find_layout(path); });
    layout = comm.broadcast(layout);
    const auto bytes = comm::BlockDistribution(layout.size, comm.size()).block(comm.rank());
    Part<T> part;
    agree_on_input(comm, [&] {
        if (bytes.count > 0) part = parse_part<T>(path, layout, bytes.first, bytes.end());
    });
    const auto lines_before = comm.exclusive_sum(part.lines);
    agree_on_input(comm, [&] {
        VALIDATE(part.mistake.empty(), "cannot read '{}': line {} {}; correct or remove it", path,
                 lines_before + part.wrong_line, part.mistake);
    });
    return redistribute(part.values, layout.columns, comm);
}

template Matrix<float> read_text_table(const std::string&, const comm::Communicator&);
template Matrix<double> read_text_table(const std::string&, const comm::Communicator&);

TextColumn read_text_column(const std::string& path, std::string_view name) {
    Lines lines(path, 0, size_of(path));
    TextColumn column;
    std::vector<std::string_view> fields;
    char separator = 0;
    std::size_t columns = 0, wanted = 0;
    while (lines.next()) {
        if (!holds_data(lines.text())) continue;
        const bool first = separator == 0;
        if (first) separator = separator_of(lines.text());
        split(lines.text(), separator, fields);
        if (first) {
            columns = fields.size();
            const auto found = std::find(fields.begin(), fields.end(), name);
            VALIDATE(columns == 1 || found != fields.end(),
                     "'{}' has {} columns and none is called '{}'; name one so in a first line",
                     path, columns, name);
            if (found != fields.end()) {
                wanted = static_cast<std::size_t>(found - fields.begin());
                continue;
            }
        }
        VALIDATE(fields.size() == columns,
                 "cannot read '{}': line {} has {} fields where the first line has {}; correct it",
                 path, lines.count(), fields.size(), columns);
        column.fields.emplace_back(fields[wanted]);
        column.lines.push_back(lines.count());
    }
    return column;
}

}  // namespace nanoatlas::store
