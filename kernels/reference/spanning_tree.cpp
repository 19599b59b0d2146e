#include "kernels/reference/spanning_tree.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace nanoatlas::kernels::reference {

std::vector<TreeEdge> spanning_tree(std::span<const double> rows, std::size_t columns,
                                    std::size_t min_samples, double alpha) {
    const std::size_t n = rows.size() / columns;
    const auto distance = [&](std::size_t a, std::size_t b) {
        double sum = 0;
        for (std::size_t c = 0; c < columns; ++c) {
            const double difference = rows[a * columns + c] - rows[b * columns + c];
            sum += difference * difference;
        }
        return std::sqrt(sum);
    };
    std::vector<double> core(n);
    for (std::size_t i = 0; i < n; ++i) {
        std::vector<double> others;
        for (std::size_t j = 0; j < n; ++j)
            if (j != i) others.push_back(distance(i, j));
        std::sort(others.begin(), others.end());
        core[i] = others[min_samples - 1];
    }
    const auto edge = [&](std::size_t a, std::size_t b) {
        const double apart = distance(a, b);
        return TreeEdge{.weight = std::max({core[a], core[b], apart / alpha}),
                        .distance = apart,
                        .low = static_cast<std::int64_t>(std::min(a, b)),
                        .high = static_cast<std::int64_t>(std::max(a, b))};
    };

    // Prim: the tree grows from row 0 by the least edge out of it.
    std::vector<TreeEdge> tree, nearest(n);
    std::vector<bool> in_tree(n, false);
    for (std::size_t added = 0; tree.size() + 1 < n;) {
        in_tree[added] = true;
        std::size_t next = added;
        TreeEdge least;
        for (std::size_t i = 0; i < n; ++i) {
            if (in_tree[i]) continue;
            nearest[i] = std::min(nearest[i], edge(added, i));
            if (nearest[i] < least) {
                least = nearest[i];
                next = i;
            }
        }
        tree.push_back(least);
        added = next;
    }
    std::sort(tree.begin(), tree.end());
    return tree;
}

}  // namespace nanoatlas::kernels::reference
