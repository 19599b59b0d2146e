#include "nn/available_memory.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

namespace nanoatlas::nn {
namespace {

/// The number in a file that holds one, such as those of a control group; "max" is none.
std::optional<std::int64_t> number_in(const std::string& path) {
    std::ifstream file(path);
    std::int64_t number = 0;
    if (file >> number) return number;
    return std::nullopt;
}

}  // namespace

std::int64_t available_memory() {
    std::int64_t available = std::numeric_limits<std::int64_t>::max();
    std::ifstream file("/proc/meminfo");
    std::string name, unit;
    for (std::int64_t kibibytes = 0; file >> name >> kibibytes; std::getline(file, unit))
        if (name == "MemAvailable:") available = kibibytes * 1024;
    const auto limit = number_in("/sys/fs/cgroup/memory.max");
    const auto used = number_in("/sys/fs/cgroup/memory.current");
    if (limit && used) available = std::min(available, std::max<std::int64_t>(*limit - *used, 0));
    return available;
}

}  // namespace nanoatlas::nn
