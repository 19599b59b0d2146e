// Labels as numbers from 0.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace nanoatlas::cluster {

/// In ascending order of the labels, and how many rows have each.
struct NumberedLabels {
    std::vector<std::int32_t> label;
    std::vector<std::int64_t> size;
    std::vector<std::int64_t> name;  ///< the label that stands behind each number

    explicit NumberedLabels(std::span<const std::int64_t> labels);
    std::size_t clusters() const { return size.size(); }
};

}  // namespace nanoatlas::cluster
