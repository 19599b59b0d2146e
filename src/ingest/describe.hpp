// What the corpus says of all its rows: labels, duplicates, groups and parts.
#pragma once

#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "ingest/decode.hpp"
#include "store/corpus.hpp"

namespace nanoatlas::ingest {

struct DescribeOptions {
    std::string labels = "folders";  ///< folders, none, csv:FILE
    std::string groups = "auto";     ///< auto, csv:FILE
    std::string parts = "auto";      ///< auto, csv:FILE
    bool dedup = true;
};

/// throws InputError if an option has none of its forms
void check(const DescribeOptions& options);

/// Images that a table leaves out: no label, a group of their own, a part as by auto. Duplicates
/// share a group, whatever the table of groups says. Collective. throws InputError as Assignments
/// does
store::CorpusTable describe(const std::vector<image::Source>& sources, const Decoded& decoded,
                            const DescribeOptions& options, const comm::Communicator& comm);

}  // namespace nanoatlas::ingest
