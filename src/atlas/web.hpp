// The hand-written part of an atlas: style, scripts and page frames of src/atlas/web, built into
// the program.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nanoatlas::atlas {

struct WebFile {
    std::string_view name, text;
};

/// All of them, by name.
const std::vector<WebFile>& web_files();
/// Text of the one of that name, which must be there.
std::string_view web_file(std::string_view name);

/// A template with each {{key}} replaced, in one pass: what is put in is not looked at again.
/// Unknown keys stay.
std::string fill_in(std::string_view frame,
                    const std::vector<std::pair<std::string, std::string>>& values);

}  // namespace nanoatlas::atlas
