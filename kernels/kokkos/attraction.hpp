// The attraction along the edges of a sparse graph of probabilities, as t-SNE has it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace nanoatlas::kernels::kokkos {

/// Edges of rows first, first + 1, ... of a map: those of the i-th are [begin[i], begin[i + 1]),
/// each to a row of the map, of probability p.
struct MapEdges {
    std::span<const std::size_t> begin;
    std::span<const std::int32_t> to;
    std::span<const float> p;
    std::size_t first = 0;
};

/// [rows, D]: sum over the edges of p q_ij (y_i - y_j), q_ij = 1 / (1 + |y_i - y_j|^2). A row's sum
/// depends on its own edges alone. Products and sums of f32: error 1e-6 of the sum of magnitudes.
/// y [n, dimensions], dimensions 2 or 3
std::vector<float> attraction(std::span<const float> y, std::size_t dimensions,
                              const MapEdges& edges);

/// [rows]: sum over the edges of p log(p / q_ij), terms of p = 0 left out; f64.
std::vector<double> divergence(std::span<const float> y, std::size_t dimensions,
                               const MapEdges& edges);

}  // namespace nanoatlas::kernels::kokkos
