// Names that are paths: "Nanowires/Forest/crust".
#pragma once

#include <algorithm>
#include <string_view>

namespace nanoatlas::base {

inline int parts_of(std::string_view name) {
    return 1 + static_cast<int>(std::count(name.begin(), name.end(), '/'));
}

/// The first `count` parts of a name, all if it has fewer. count > 0
inline std::string_view first_parts(std::string_view name, int count) {
    std::size_t end = name.find('/');
    for (int i = 1; i < count && end != std::string_view::npos; ++i) end = name.find('/', end + 1);
    return name.substr(0, end);
}

/// "Nanowires" of "Nanowires/Forest"; "" of a name that is no path.
inline std::string_view parent_of(std::string_view name) {
    const auto slash = name.rfind('/');
    return slash == std::string_view::npos ? std::string_view{} : name.substr(0, slash);
}

/// Whether a name is `above` or lies below it.
inline bool lies_in(std::string_view name, std::string_view above) {
    return name.starts_with(above) && (name.size() == above.size() || name[above.size()] == '/');
}

}  // namespace nanoatlas::base
