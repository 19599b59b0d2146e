// The forces of t-SNE on points of a map, the obvious way. van der Maaten, J. Mach. Learn. Res. 15
// (2014) 3221, equations 5 to 8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace nanoatlas::kernels::reference {

/// With q_ij = 1 / (1 + |y_i - y_j|^2).
struct Repulsion {
    std::vector<double> force;      ///< [n, D], sum over j of q_ij^2 (y_i - y_j)
    std::vector<double> magnitude;  ///< [n], sum over j of |q_ij^2 (y_i - y_j)|
    std::vector<double> weight;     ///< [n], sum over j other than i of q_ij
};

/// y [n, D]
Repulsion repulsion(std::span<const float> y, std::size_t dimensions);

/// Edges of rows first, first + 1, ... (as many as begin has, less one): those of the i-th are
/// [begin[i], begin[i + 1]), each to a row of y, of probability p.
struct Edges {
    std::span<const std::size_t> begin;
    std::span<const std::int32_t> to;
    std::span<const float> p;
    std::size_t first = 0;
};

/// [rows, D]: sum over the edges of p q_ij (y_i - y_j).
std::vector<double> attraction(std::span<const float> y, std::size_t dimensions,
                               const Edges& edges);

/// [rows]: sum over the edges of p log(p / q_ij), terms of p = 0 left out.
std::vector<double> divergence(std::span<const float> y, std::size_t dimensions,
                               const Edges& edges);

}  // namespace nanoatlas::kernels::reference
