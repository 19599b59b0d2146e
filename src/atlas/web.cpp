#include "atlas/web.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace nanoatlas::atlas {

std::string_view web_file(std::string_view name) {
    const auto found = std::find_if(web_files().begin(), web_files().end(),
                                    [&](const WebFile& file) { return file.name == name; });
    ENSURE(found != web_files().end(), "this build lacks the page frame '{}'; build it again",
           name);
    return found->text;
}

std::string fill_in(std::string_view frame,
                    const std::vector<std::pair<std::string, std::string>>& values) {
    std::string filled;
    for (;;) {
        const auto open = frame.find("{{");
        const auto close = open == std::string_view::npos ? open : frame.find("}}", open);
        if (close == std::string_view::npos) return filled += frame;
        const auto key = frame.substr(open + 2, close - open - 2);
        const auto value = std::find_if(values.begin(), values.end(),
                                        [&](const auto& pair) { return pair.first == key; });
        filled += frame.substr(0, open);
        if (value != values.end())
            filled += value->second;
        else
            filled += frame.substr(open, close + 2 - open);
        frame.remove_prefix(close + 2);
    }
}

}  // namespace nanoatlas::atlas
