#include "cluster/hdbscan/single_linkage.hpp"

#include <utility>

#include "base/union_find.hpp"

namespace nanoatlas::cluster {
namespace {

std::size_t at(std::int64_t row) {
    return static_cast<std::size_t>(row);
}

// Of each row the next on the way to row 0.
std::vector<std::int64_t> ways_to_row_0(const SpanningTree& tree) {
    const std::size_t rows = tree.size() + 1;
    std::vector<std::size_t> first(rows + 1);
    for (const auto& edge : tree)
        for (const auto end : {edge.low, edge.high}) ++first[at(end) + 1];
    for (std::size_t i = 0; i < rows; ++i) first[i + 1] += first[i];
    std::vector<std::int64_t> neighbour(2 * tree.size());
    auto place = first;
    for (const auto& edge : tree) {
        neighbour[place[at(edge.low)]++] = edge.high;
        neighbour[place[at(edge.high)]++] = edge.low;
    }
    std::vector<std::int64_t> next(rows, -1), reached = {0};
    next[0] = 0;
    for (std::size_t i = 0; i < reached.size(); ++i) {
        const auto row = at(reached[i]);
        for (std::size_t j = first[row]; j < first[row + 1]; ++j)
            if (next[at(neighbour[j])] < 0) {
                next[at(neighbour[j])] = reached[i];
                reached.push_back(neighbour[j]);
            }
    }
    return next;
}

}  // namespace

std::vector<Merger> single_linkage(const SpanningTree& tree) {
    const auto rows = std::ssize(tree) + 1;
    const auto next = ways_to_row_0(tree);
    base::UnionFind joined(rows);
    std::vector<std::int64_t> node(at(rows));  // of the set that a row is the first of
    for (std::int64_t row = 0; row < rows; ++row) node[at(row)] = row;
    std::vector<Merger> mergers;
    const auto size = [&](std::int64_t of) {
        return of < rows ? std::int64_t{1} : mergers[at(of - rows)].size;
    };
    for (const auto& edge : tree) {
        auto nearer = edge.low, farther = edge.high;
        if (next[at(nearer)] == farther) std::swap(nearer, farther);
        const auto left = node[at(joined.first_of(nearer))];
        const auto right = node[at(joined.first_of(farther))];
        mergers.push_back({left, right, edge.weight, size(left) + size(right)});
        joined.join(nearer, farther);
        node[at(joined.first_of(nearer))] = rows + std::ssize(mergers) - 1;
    }
    return mergers;
}

}  // namespace nanoatlas::cluster
