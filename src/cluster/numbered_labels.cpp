#include "cluster/numbered_labels.hpp"

#include <algorithm>

namespace nanoatlas::cluster {

NumberedLabels::NumberedLabels(std::span<const std::int64_t> labels)
    : name(labels.begin(), labels.end()) {
    std::sort(name.begin(), name.end());
    name.erase(std::unique(name.begin(), name.end()), name.end());
    size.assign(name.size(), 0);
    label.reserve(labels.size());
    for (const auto value : labels) {
        const auto at = std::lower_bound(name.begin(), name.end(), value);
        label.push_back(static_cast<std::int32_t>(at - name.begin()));
        ++size[static_cast<std::size_t>(label.back())];
    }
}

}  // namespace nanoatlas::cluster
