#include "ingest/describe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "base/check.hpp"
#include "base/log.hpp"
#include "base/number.hpp"
#include "base/path_parts.hpp"
#include "base/union_find.hpp"
#include "image/duplicates.hpp"
#include "ingest/assignments.hpp"
#include "ingest/parts.hpp"

namespace nanoatlas::ingest {
namespace {

using Values = std::vector<std::optional<std::string>>;
using GivenParts = std::vector<std::optional<store::Part>>;

/// What a table that an option names says of each source; empty if the option names none.
Values read_values(const std::string& option, const char* column,
                   const std::vector<image::Source>& sources, const comm::Communicator& comm) {
    const auto csv = csv_file(option);
    return csv ? Assignments::read(*csv, column, comm).match(sources) : Values{};
}

/// Values by source as values by row.
template <class T>
std::vector<T> of_rows(const std::vector<T>& of_sources, const Decoded& decoded) {
    std::vector<T> rows;
    for (const auto source : decoded.source)
        if (!of_sources.empty()) rows.push_back(of_sources[static_cast<std::size_t>(source)]);
    return rows;
}

bool is_whole_number(const std::string& text) {
    return !text.empty() && text.size() < 10 &&
           std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c); });
}

/// Classes in alphabetical order, or by value where all are numbers.
std::vector<std::string> class_names(const Values& labels) {
    std::set<std::string> names;
    for (const auto& label : labels)
        if (label) names.insert(*label);
    std::vector<std::string> sorted(names.begin(), names.end());
    if (std::all_of(sorted.begin(), sorted.end(), is_whole_number))
        std::stable_sort(sorted.begin(), sorted.end(),
                         [](const auto& a, const auto& b) { return std::stoi(a) < std::stoi(b); });
    return sorted;
}

void add_labels(const Values& labels, store::CorpusTable& table) {
    table.classes = class_names(labels);
    std::map<std::string, std::int32_t> number;
    for (const auto& name : table.classes)
        number.emplace(name, static_cast<std::int32_t>(number.size()));
    for (const auto& label : labels) table.label.push_back(label ? number.at(*label) : -1);
}

constexpr std::string_view depth_prefix = "folders:";

/// DEPTH of "folders:DEPTH", nothing of "folders": how many folders make a class's name.
std::optional<int> folder_depth(const std::string& option) {
    if (!option.starts_with(depth_prefix)) return std::nullopt;
    const auto depth = base::parse_number<int>(option.substr(depth_prefix.size()));
    VALIDATE(depth && *depth > 0,
             "cannot read --labels '{}' (the depth is a number of folders); give folders:1 for the "
             "first folder alone",
             option);
    return depth;
}

Values folder_labels(const std::vector<image::Source>& sources, std::optional<int> depth) {
    Values labels;
    for (const auto& source : sources) {
        const std::string_view path = source.folder_label;
        const auto label = depth ? base::first_parts(path, *depth) : path;
        labels.push_back(label.empty() ? std::nullopt : std::optional<std::string>(label));
    }
    return labels;
}

void add_groups(const Decoded& decoded, const Values& given, Dedup dedup,
                store::CorpusTable& table) {
    const auto rows = static_cast<std::int64_t>(decoded.source.size());
    base::UnionFind groups(rows);
    table.duplicate_of.assign(decoded.source.size(), -1);
    if (dedup == Dedup::on) {
        const auto found = image::find_duplicates(decoded.fingerprint, decoded.is_small);
        table.duplicate_of = found.duplicate_of;
        for (std::int64_t row = 0; row < rows; ++row)
            groups.join(row, found.group[static_cast<std::size_t>(row)]);
    }
    std::map<std::string, std::int64_t> first_of_name;
    for (std::size_t row = 0; row < given.size(); ++row)
        if (given[row]) {
            const auto number = static_cast<std::int64_t>(row);
            groups.join(number, first_of_name.try_emplace(*given[row], number).first->second);
        }
    for (std::int64_t row = 0; row < rows; ++row) table.group.push_back(groups.first_of(row));
}

/// Parts that are given image by image may tear groups apart: the user's word counts, with a
/// warning.
void warn_of_torn_groups(const store::CorpusTable& table) {
    std::set<std::int64_t> torn;
    for (std::size_t row = 0; row < table.group.size(); ++row)
        if (table.part[row] != table.part[static_cast<std::size_t>(table.group[row])])
            torn.insert(table.group[row]);
    if (!torn.empty())
        base::log_warning(fmt::format(
            "--parts puts members of {} groups (duplicates, or --groups) into different "
            "parts; scores on them will be too good",
            torn.size()));
}

std::vector<std::uint64_t> checksums(const Decoded& decoded) {
    std::vector<std::uint64_t> values;
    for (const auto& fingerprint : decoded.fingerprint) values.push_back(fingerprint.exact);
    return values;
}

void add_parts(const std::vector<image::Source>& sources, const Decoded& decoded,
               const GivenParts& given, store::CorpusTable& table) {
    GivenParts fixed(decoded.source.size());
    for (std::size_t row = 0; row < fixed.size(); ++row)
        if (sources[static_cast<std::size_t>(decoded.source[row])].in_test_set)
            fixed[row] = store::Part::test;
    table.part = choose_parts(table.label, table.group, checksums(decoded), fixed);
    for (std::size_t row = 0; row < given.size(); ++row)
        if (given[row]) table.part[row] = *given[row];
    warn_of_torn_groups(table);
}

}  // namespace

void check(const DescribeOptions& options) {
    const auto validate = [](const char* name, const std::string& value,
                             std::initializer_list<std::string_view> words) {
        const bool known =
            csv_file(value) || std::find(words.begin(), words.end(), value) != words.end();
        VALIDATE(known, "cannot read --{} '{}' (no such way); give {} or csv:FILE", name, value,
                 fmt::join(words, ", "));
    };
    if (!folder_depth(options.labels)) validate("labels", options.labels, {"folders", "none"});
    validate("groups", options.groups, {"auto"});
    validate("parts", options.parts, {"auto"});
}

Given read_given(const std::vector<image::Source>& sources, const DescribeOptions& options,
                 const comm::Communicator& comm) {
    Given given{.labels = read_values(options.labels, "label", sources, comm),
                .groups = read_values(options.groups, "group", sources, comm),
                .parts = {}};
    if (options.labels.starts_with("folders"))
        given.labels = folder_labels(sources, folder_depth(options.labels));
    if (options.labels == "none") given.labels = Values(sources.size());
    for (const auto& part : read_values(options.parts, "part", sources, comm))
        given.parts.push_back(part ? std::optional(parse_part(*part)) : std::nullopt);
    return given;
}

store::CorpusTable describe(const std::vector<image::Source>& sources, const Given& given,
                            const Decoded& decoded, Dedup dedup) {
    store::CorpusTable table;
    add_labels(of_rows(given.labels, decoded), table);
    add_groups(decoded, of_rows(given.groups, decoded), dedup, table);
    add_parts(sources, decoded, of_rows(given.parts, decoded), table);
    for (const auto& [path, cause] : decoded.rejected) {
        table.reject_path.push_back(path);
        table.reject_cause.push_back(cause);
    }
    return table;
}

}  // namespace nanoatlas::ingest
