#include "kernels/reference/neighbours.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace nanoatlas::kernels::reference {
namespace {

double squared_distance(const double* a, const double* b, std::size_t columns) {
    double sum = 0;
    for (std::size_t c = 0; c < columns; ++c) sum += (a[c] - b[c]) * (a[c] - b[c]);
    return sum;
}

}  // namespace

NeighbourLists nearest_neighbours(std::span<const double> rows, std::size_t columns,
                                  std::size_t k) {
    const std::size_t n = rows.size() / columns;
    NeighbourLists lists;
    for (std::size_t i = 0; i < n; ++i) {
        std::vector<std::pair<double, std::int64_t>> others;
        for (std::size_t j = 0; j < n; ++j)
            if (j != i)
                others.emplace_back(
                    squared_distance(&rows[i * columns], &rows[j * columns], columns), j);
        std::sort(others.begin(), others.end());
        for (std::size_t rank = 0; rank < k; ++rank) {
            lists.index.push_back(others[rank].second);
            lists.distance.push_back(std::sqrt(others[rank].first));
        }
    }
    return lists;
}

}  // namespace nanoatlas::kernels::reference
