// What the corpus says of all its rows: labels, duplicates, groups and parts.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "ingest/decode.hpp"
#include "store/corpus.hpp"

namespace nanoatlas::ingest {

struct DescribeOptions {
    std::string labels = "folders";  ///< folders, folders:DEPTH, none, csv:FILE
    std::string groups = "auto";     ///< auto, csv:FILE
    std::string parts = "auto";      ///< auto, csv:FILE
};

/// throws InputError if an option has none of its forms
void check(const DescribeOptions& options);

/// What the user says of each source, by folders or tables; where a table leaves a source out:
/// nothing.
struct Given {
    std::vector<std::optional<std::string>> labels;
    std::vector<std::optional<std::string>> groups;  ///< empty: no table
    std::vector<std::optional<store::Part>> parts;   ///< empty: no table
};

/// Read before the long work, so that a wrong table is known at once. Collective.
/// throws InputError as Assignments and parse_part do
Given read_given(const std::vector<image::Source>& sources, const DescribeOptions& options,
                 const comm::Communicator& comm);

/// Whether near and exact duplicates are sought.
enum class Dedup { on, off };

/// Images that nothing is given of: no label, a group of their own, a part as choose_parts has it.
/// Duplicates share a group, whatever the table of groups says. The same on every rank.
store::CorpusTable describe(const std::vector<image::Source>& sources, const Given& given,
                            const Decoded& decoded, Dedup dedup);

}  // namespace nanoatlas::ingest
