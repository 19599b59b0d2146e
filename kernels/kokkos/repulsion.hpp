// The repulsion between all points of a map, as t-SNE has it: exact, or by a tree.
//
// The points stand in an order in which runs of `repulsion_leaf` lie close together; such a run is
// a leaf of a binary tree over the order. The points of a leaf go down the tree together: a cell
// that is small as seen from their box counts as one heavy point at its centre, the leaves in
// between count point by point (Barnes, J. Comput. Phys. 87 (1990) 161; for t-SNE van der Maaten,
// J. Mach. Learn. Res. 15 (2014) 3221). With theta = 0 every leaf counts point by point: the exact
// sums, tile by tile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace nanoatlas::kernels::kokkos {

inline constexpr std::size_t repulsion_leaf = 32;

/// Of some leaves. With q_ij = 1 / (1 + |y_i - y_j|^2).
struct Repulsion {
    std::vector<float> force;    ///< [points, D] in the order, sum over all j of q_ij^2 (y_i - y_j)
    std::vector<double> weight;  ///< [leaves], sum over their points i and all j but i of q_ij
};

/// Leaves [first, first + count); what is computed of a leaf depends neither on the others asked
/// for nor on threads.
///
/// y      [n, dimensions], dimensions 2 or 3
/// order  a permutation of 0..n-1, best of space_order(y, dimensions, repulsion_leaf)
/// theta  a cell counts as one point if its longest side is below theta times the distance from the
///        box of the leaf to its centre. 0: sums of f32 within 512 points, of f64 beyond; error
///        1e-6 of the sum of magnitudes and of the weights. 0.5: within 2 % of them (in the tests),
///        0.2 % in the mean.
Repulsion repulsion(std::span<const float> y, std::size_t dimensions,
                    std::span<const std::int32_t> order, double theta, std::size_t first,
                    std::size_t count);

/// The mean of the leaves' longest sides, in longest sides of all points' box: how well an order
/// that was made for other points fits these. Dimensions 2 or 3.
double leaf_size(std::span<const float> y, std::size_t dimensions,
                 std::span<const std::int32_t> order);

/// Number of leaves of n points.
constexpr std::size_t repulsion_leaves(std::size_t n) {
    return (n + repulsion_leaf - 1) / repulsion_leaf;
}

}  // namespace nanoatlas::kernels::kokkos
