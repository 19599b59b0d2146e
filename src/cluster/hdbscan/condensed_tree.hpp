// The condensed tree of HDBSCAN: a hierarchy in which only splits into two large parts count.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cluster/hdbscan/single_linkage.hpp"

namespace nanoatlas::cluster {

/// At density lambda (1 / distance; infinite where rows coincide) a child leaves its parent: a row
/// [0, N) that falls out, or a cluster, N being the root; a cluster has a greater number than its
/// parent. Numbers and order of the lines are those of the hdbscan package.
struct CondensedTree {
    std::int64_t rows = 0;      ///< N
    std::int64_t clusters = 1;  ///< numbers N to N + clusters - 1
    std::vector<std::int64_t> parent, child, size;
    std::vector<double> lambda;

    std::size_t lines() const { return parent.size(); }
    bool is_row(std::size_t line) const { return child[line] < rows; }
    /// Of the clusters in vectors of their own: place 0 is the root.
    std::size_t place(std::int64_t cluster) const {
        return static_cast<std::size_t>(cluster - rows);
    }
};

/// A part of less than min_cluster_size rows does not split a cluster; its rows fall out.
/// Campello, Moulavi, Zimek, Sander, ACM Trans. Knowledge Discovery from Data 10 (2015) 5, 3.
CondensedTree condense(std::span<const Merger> mergers, std::int64_t min_cluster_size);

}  // namespace nanoatlas::cluster
