// Into which parts a cluster would fall at a lower significance Z.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nanoatlas::atlas {

struct Atlas;

/// All peaks of the density before merging, M of them, and in which order they merge.
struct MergeTree {
    std::vector<std::int64_t> centre;  ///< [M] rows
    std::vector<std::int32_t> peak;    ///< [N] of each row
    std::vector<std::int32_t> nodes;   ///< [merges, 2]: 0..M-1 peaks, M+m merge m
    std::vector<double> significance;  ///< [merges], Z
};

/// A part of a cluster: a peak and those that merge with it below some Z.
struct Part {
    int a = -1, b = -1;       ///< parts of the tree that it is made of; -1: it is not shown further
    double significance = 0;  ///< at which a and b merge
    std::int64_t centre = 0;  ///< row of its peak
    std::int64_t images = 0;
};

struct SplitTree {
    int cluster = 0;
    std::vector<Part> parts;  ///< the first is the whole
    std::vector<int> leaves;  ///< parts that are shown whole, so ordered that no lines cross
};

/// One of each cluster. Parts are taken apart by descending Z until a tree has `most` leaves, or
/// all that are left hang together at every Z above 0.
std::vector<SplitTree> split_trees(const MergeTree& tree, const std::vector<std::int32_t>& label,
                                   int clusters, std::size_t most);

/// The trees below one another over Z, which falls from left to right.
/// root: leads from the picture to the root of the atlas
std::string split_chart(const Atlas& atlas, const std::vector<const SplitTree*>& trees,
                        const std::string& root);

}  // namespace nanoatlas::atlas
