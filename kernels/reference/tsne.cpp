#include "kernels/reference/tsne.hpp"

#include <cmath>

namespace nanoatlas::kernels::reference {
namespace {

double difference(std::span<const float> y, std::size_t i, std::size_t j) {
    return static_cast<double>(y[i]) - y[j];
}

double q_of(std::span<const float> y, std::size_t dimensions, std::size_t i, std::size_t j) {
    double squared = 0;
    for (std::size_t c = 0; c < dimensions; ++c) {
        const double d = difference(y, i * dimensions + c, j * dimensions + c);
        squared += d * d;
    }
    return 1 / (1 + squared);
}

}  // namespace

Repulsion repulsion(std::span<const float> y, std::size_t dimensions) {
    const std::size_t n = y.size() / dimensions;
    Repulsion result{std::vector<double>(y.size()), std::vector<double>(n), std::vector<double>(n)};
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j) {
            if (i == j) continue;
            const double q = q_of(y, dimensions, i, j);
            result.weight[i] += q;
            result.magnitude[i] += q * q * std::sqrt(1 / q - 1);
            for (std::size_t c = 0; c < dimensions; ++c)
                result.force[i * dimensions + c] +=
                    q * q * difference(y, i * dimensions + c, j * dimensions + c);
        }
    return result;
}

std::vector<double> attraction(std::span<const float> y, std::size_t dimensions,
                               const Edges& edges) {
    const std::size_t rows = edges.begin.size() - 1;
    std::vector<double> force(rows * dimensions);
    for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t e = edges.begin[i]; e < edges.begin[i + 1]; ++e) {
            const std::size_t row = edges.first + i, other = static_cast<std::size_t>(edges.to[e]);
            const double pull = edges.p[e] * q_of(y, dimensions, row, other);
            for (std::size_t c = 0; c < dimensions; ++c)
                force[i * dimensions + c] +=
                    pull * difference(y, row * dimensions + c, other * dimensions + c);
        }
    return force;
}

std::vector<double> divergence(std::span<const float> y, std::size_t dimensions,
                               const Edges& edges) {
    const std::size_t rows = edges.begin.size() - 1;
    std::vector<double> sums(rows);
    for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t e = edges.begin[i]; e < edges.begin[i + 1]; ++e) {
            const double p = edges.p[e];
            const double q =
                q_of(y, dimensions, edges.first + i, static_cast<std::size_t>(edges.to[e]));
            if (p > 0) sums[i] += p * std::log(p / q);
        }
    return sums;
}

}  // namespace nanoatlas::kernels::reference
