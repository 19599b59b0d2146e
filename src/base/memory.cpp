#include "base/memory.hpp"

#include <algorithm>
#include <climits>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace nanoatlas::base {
namespace {

/// The number in a file that holds one, such as those of a control group; "max" is none.
std::optional<std::int64_t> number_in(const std::string& path) {
    std::ifstream file(path);
    std::int64_t number = 0;
    if (file >> number) return number;
    return std::nullopt;
}

}  // namespace

#ifdef __GLIBC__

void keep_freed_memory() {
    mallopt(M_MMAP_THRESHOLD, INT_MAX);
    mallopt(M_TRIM_THRESHOLD, INT_MAX);
}

#else

void keep_freed_memory() {}

#endif

std::int64_t available_memory() {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
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

}  // namespace nanoatlas::base
