#include "kernels/kokkos/repulsion.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>

#include "kernels/kokkos/repulsion_tile.hpp"
#include "kernels/kokkos/views.hpp"

namespace nanoatlas::kernels::kokkos {
namespace {

using repulsion_tile::Points, repulsion_tile::Sources, repulsion_tile::Sums, repulsion_tile::room;

/// A run of leaves, the box of its points, and where their mass lies.
template <std::size_t D>
struct Cell {
    std::size_t first = 0, leaves = 0;
    float low[D], high[D], centre[D], mass = 0;

    /// Cells below this one follow it; then comes the next beside it.
    KOKKOS_FUNCTION std::size_t with_all_below() const { return 2 * leaves - 1; }
};

template <std::size_t D>
using Tree = std::vector<Cell<D>>;

/// The cell and all below it, from place `at` on: halves, the first a leaf longer if need be.
template <std::size_t D>
void lay_out(Tree<D>& tree, std::size_t at, std::size_t first, std::size_t leaves) {
    tree[at].first = first;
    tree[at].leaves = leaves;
    if (leaves == 1) return;
    const std::size_t low = (leaves + 1) / 2;
    lay_out(tree, at + 1, first, low);
    lay_out(tree, at + 2 * low, first + low, leaves - low);
}

/// Coordinates in the order, [D, n].
template <std::size_t D>
std::vector<float> columns_in_order(std::span<const float> y, std::span<const std::int32_t> order) {
    const std::size_t n = order.size();
    std::vector<float> columns(n * D);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t c = 0; c < D; ++c)
            columns[c * n + i] = y[static_cast<std::size_t>(order[i]) * D + c];
    return columns;
}

template <std::size_t D>
void measure_leaf(Cell<D>& cell, const std::vector<float>& columns) {
    const std::size_t n = columns.size() / D, begin = cell.first * repulsion_leaf,
                      end = std::min(n, begin + repulsion_leaf);
    cell.mass = static_cast<float>(end - begin);
    for (std::size_t c = 0; c < D; ++c) {
        const auto values = std::span(columns).subspan(c * n + begin, end - begin);
        double sum = 0;
        for (const float value : values) sum += value;
        const auto [low, high] = std::minmax_element(values.begin(), values.end());
        cell.low[c] = *low;
        cell.high[c] = *high;
        cell.centre[c] = static_cast<float>(sum / cell.mass);
    }
}

template <std::size_t D>
void join(Cell<D>& cell, const Cell<D>& a, const Cell<D>& b) {
    cell.mass = a.mass + b.mass;
    for (std::size_t c = 0; c < D; ++c) {
        cell.low[c] = std::min(a.low[c], b.low[c]);
        cell.high[c] = std::max(a.high[c], b.high[c]);
        cell.centre[c] = a.centre[c] + (b.centre[c] - a.centre[c]) * (b.mass / cell.mass);
    }
}

template <std::size_t D>
Tree<D> grow(const std::vector<float>& columns) {
    const std::size_t leaves = repulsion_leaves(columns.size() / D);
    Tree<D> tree(2 * leaves - 1);
    lay_out(tree, 0, 0, leaves);
    for (std::size_t at = tree.size(); at-- > 0;) {
        auto& cell = tree[at];
        if (cell.leaves == 1)
            measure_leaf(cell, columns);
        else
            join(cell, tree[at + 1], tree[at + 1 + tree[at + 1].with_all_below()]);
    }
    return tree;
}

/// The points of a leaf and what the others do to them.
template <std::size_t D>
struct Leaf {
    Points<D> points;
    Sources<D> sources;
    double sums[D + 1][repulsion_leaf];

    KOKKOS_FUNCTION void flush() {
        Sums<D> part;
        repulsion_tile::sum_over<D>(points, sources, part);
        for (std::size_t c = 0; c <= D; ++c)
            for (std::size_t t = 0; t < repulsion_leaf; ++t) sums[c][t] += part[c][t];
        sources.count = 0;
    }
};

template <std::size_t D>
KOKKOS_FUNCTION bool counts_as_one(const Cell<D>& cell, const Cell<D>& seen_from, float theta) {
    float side = 0, squared = 0;
    for (std::size_t c = 0; c < D; ++c) {
        side = Kokkos::max(side, cell.high[c] - cell.low[c]);
        const float away = Kokkos::max(0.0F, Kokkos::max(seen_from.low[c] - cell.centre[c],
                                                         cell.centre[c] - seen_from.high[c]));
        squared += away * away;
    }
    return side * side < theta * theta * squared;
}

/// The box of the points alone.
template <std::size_t D>
KOKKOS_FUNCTION Cell<D> box_of(const Points<D>& points) {
    Cell<D> box;
    for (std::size_t c = 0; c < D; ++c) {
        box.low[c] = box.high[c] = points[c][0];
        for (std::size_t t = 1; t < repulsion_leaf; ++t) {
            box.low[c] = Kokkos::min(box.low[c], points[c][t]);
            box.high[c] = Kokkos::max(box.high[c], points[c][t]);
        }
    }
    return box;
}

/// Down the tree, whose cells stand one after the other.
template <std::size_t D, class Cells, class Columns>
KOKKOS_FUNCTION void visit(Leaf<D>& leaf, const Cells& cells, const Columns& columns, std::size_t n,
                           float theta) {
    const auto box = box_of<D>(leaf.points);
    auto& to = leaf.sources;
    for (std::size_t at = 0; at < cells.size();) {
        const auto& cell = cells(at);
        if (to.count + repulsion_leaf > room) leaf.flush();
        if (counts_as_one(cell, box, theta)) {
            for (std::size_t c = 0; c < D; ++c) to.at[c][to.count] = cell.centre[c];
            to.mass[to.count++] = cell.mass;
            at += cell.with_all_below();
            continue;
        }
        if (cell.leaves == 1) {
            const std::size_t begin = cell.first * repulsion_leaf,
                              end = begin + repulsion_leaf < n ? begin + repulsion_leaf : n;
            for (std::size_t i = begin; i < end; ++i, ++to.count) {
                for (std::size_t c = 0; c < D; ++c) to.at[c][to.count] = columns(c * n + i);
                to.mass[to.count] = 1;
            }
        }
        ++at;
    }
    leaf.flush();
}

template <std::size_t D>
Repulsion repulsion_in(std::span<const float> y, std::span<const std::int32_t> order, float theta,
                       std::size_t first, std::size_t count) {
    const std::size_t n = order.size(), begin = std::min(n, first * repulsion_leaf),
                      end = std::min(n, (first + count) * repulsion_leaf);
    Repulsion result{std::vector<float>((end - begin) * D), std::vector<double>(count)};
    if (begin == end) return result;
    const auto host_columns = columns_in_order<D>(y, order);
    const auto host_cells = grow<D>(host_columns);
    const auto columns = on_device(std::span<const float>(host_columns));
    const auto cells = on_device(std::span<const Cell<D>>(host_cells));
    const auto force = room_on_device(std::span<float>(result.force));
    const auto weight = room_on_device(std::span<double>(result.weight));
    using Policy = Kokkos::RangePolicy<Execution, Kokkos::Schedule<Kokkos::Dynamic>>;
    Kokkos::parallel_for(
        "reduce/tsne/repulsion", Policy(0, count).set_chunk_size(4),
        KOKKOS_LAMBDA(const std::size_t number) {
            Leaf<D> leaf;
            const std::size_t from = (first + number) * repulsion_leaf,
                              here = n - from < repulsion_leaf ? n - from : repulsion_leaf;
            for (std::size_t t = 0; t < repulsion_leaf; ++t)
                for (std::size_t c = 0; c < D; ++c)
                    leaf.points[c][t] = columns(c * n + from + (t < here ? t : here - 1));
            for (auto& sums : leaf.sums)
                for (double& sum : sums) sum = 0;
            visit(leaf, cells, columns, n, theta);
            double all = 0;
            for (std::size_t t = 0; t < here; ++t) {
                all += leaf.sums[D][t] - 1;  // each has met itself
                for (std::size_t c = 0; c < D; ++c)
                    force((from - begin + t) * D + c) = static_cast<float>(leaf.sums[c][t]);
            }
            weight(number) = all;
        });
    copy_back(force, std::span<float>(result.force));
    copy_back(weight, std::span<double>(result.weight));
    return result;
}

template <std::size_t D>
float longest_side(const Cell<D>& cell) {
    float side = 0;
    for (std::size_t c = 0; c < D; ++c) side = std::max(side, cell.high[c] - cell.low[c]);
    return side;
}

template <std::size_t D>
double leaf_size_in(std::span<const float> y, std::span<const std::int32_t> order) {
    const auto tree = grow<D>(columns_in_order<D>(y, order));
    double sum = 0;
    for (const auto& cell : tree)
        if (cell.leaves == 1) sum += longest_side(cell);
    return sum / std::max(1e-30, static_cast<double>(longest_side(tree[0]))) /
           static_cast<double>(tree[0].leaves);
}

}  // namespace

double leaf_size(std::span<const float> y, std::size_t dimensions,
                 std::span<const std::int32_t> order) {
    return dimensions == 2 ? leaf_size_in<2>(y, order) : leaf_size_in<3>(y, order);
}

Repulsion repulsion(std::span<const float> y, std::size_t dimensions,
                    std::span<const std::int32_t> order, double theta, std::size_t first,
                    std::size_t count) {
    const auto narrow = static_cast<float>(theta);
    return dimensions == 2 ? repulsion_in<2>(y, order, narrow, first, count)
                           : repulsion_in<3>(y, order, narrow, first, count);
}

}  // namespace nanoatlas::kernels::kokkos
