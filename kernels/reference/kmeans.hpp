// Lloyd's k-means from given centres, the obvious way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace nanoatlas::kernels::reference {

struct KMeans {
    std::vector<std::int32_t> label;  ///< [n] nearest centre, of equal ones the first
    std::vector<double> centre;       ///< [K, columns]
    double inertia = 0;
    int iterations = 0;
};

/// Until no label changes, or so many assignments. A cluster without rows takes the row furthest
/// from its centre, of equal ones the first, that is not alone in its cluster nor on its centre.
///
/// rows [n, columns], start [K, columns]
KMeans kmeans(std::span<const double> rows, std::span<const double> start, std::size_t columns,
              int most_iterations);

}  // namespace nanoatlas::kernels::reference
