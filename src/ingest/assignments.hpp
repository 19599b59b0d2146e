// Tables of the user's that say something of each image: path,label or path,part or path,group.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "comm/communicator.hpp"
#include "image/list.hpp"

namespace nanoatlas::ingest {

class Assignments {
  public:
    /// Comma-separated, quotes allowed. With a header the columns are found by name ("path",
    /// "file", "image" or "filename", and `column`), else they are the first two. Rank 0 reads.
    /// Collective. throws InputError if it cannot be read, has no second column, or a line is
    /// damaged
    static Assignments read(const std::string& csv, const std::string& column,
                            const comm::Communicator& comm);
    /// text: what the file holds; name: for messages
    Assignments(const std::string& text, const std::string& name, const std::string& column);

    /// The value for an image, found by its path, its path below the folder given, or, where only
    /// one image has it, its bare name; nothing where the table leaves it out or empty.
    std::vector<std::optional<std::string>> match(const std::vector<image::Source>& sources) const;

  private:
    std::string name_;
    std::unordered_map<std::string, std::string> values_;
};

/// FILE of an option "csv:FILE"; nothing if it has no such prefix.
std::optional<std::string> csv_file(const std::string& option);

}  // namespace nanoatlas::ingest
