// How dense clusters are against how far they are apart, told from the spanning tree alone.
#pragma once

#include <cstdint>
#include <span>

#include "cluster/spanning_tree.hpp"

namespace nanoatlas::cluster {

/// The relative validity of the hdbscan package: DBCV with the edges of the tree of all rows in
/// place of those of a tree of each cluster. A cluster's is (separation - sparseness) / the larger
/// of the two: sparseness is the longest edge within it, separation the shortest to another
/// cluster, twice the longest of all edges where there is none. The mean over all rows, noise
/// counting 0; from -1 to 1. It ranks choices of options for one matrix. Linear; not collective.
/// Moulavi, Jaskowiak, Campello, Zimek, Sander, SDM 2014, for DBCV.
///
/// label    of all rows, -1: noise
/// returns  0 if there are no clusters
double relative_validity(const SpanningTree& tree, std::span<const std::int32_t> label);

}  // namespace nanoatlas::cluster
