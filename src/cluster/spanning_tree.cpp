#include "cluster/spanning_tree.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/progress.hpp"
#include "base/union_find.hpp"
#include "cluster/frame.hpp"
#include "cluster/row_ring.hpp"
#include "kernels/kokkos/outgoing_search.hpp"

namespace nanoatlas::cluster {
namespace {

using kernels::TreeEdge;
using kernels::kokkos::OutgoingSearch;

constexpr double infinity = std::numeric_limits<double>::infinity();

std::size_t at(std::int64_t row) {
    return static_cast<std::size_t>(row);
}

// An edge that is below all of its weight and distance.
TreeEdge least_of(double weight, double distance) {
    return {.weight = weight, .distance = distance, .low = -1, .high = -1};
}

/// What the searches of a rank's rows have found, as the kernel writes it.
struct Found {
    std::vector<double> weight, distance;
    std::vector<std::int64_t> to;
    explicit Found(std::size_t rows)
        : weight(rows, infinity), distance(rows, infinity), to(rows, -1) {}
    void forget(std::size_t row) {
        weight[row] = distance[row] = infinity;
        to[row] = -1;
    }
};

/// A former state of the components: those that were large first, with their middles.
struct Groups {
    std::vector<std::int32_t> of_row;  // of all rows
    std::int64_t count = 0, centres = 0;
    std::vector<double> mean;  // [centres, columns]
};

class Boruvka {
  public:
    Boruvka(const store::Matrix<double>& matrix, const Neighbours& neighbours,
            std::span<const double> core, double alpha, const comm::Communicator& comm)
        : matrix_(matrix),
          lists_(neighbours),
          alpha_(alpha),
          comm_(comm),
          core_(comm.all_gather(core)),
          component_(core_.size()),
          components_(matrix.rows.total),
          listed_(at(matrix.rows.count)),
          bound_(at(matrix.rows.count)),
          found_(at(matrix.rows.count)),
          order_(neighbours.order) {
        std::iota(component_.begin(), component_.end(), 0);
        std::iota(listed_.begin(), listed_.end(), 0);
        bound_by_lists();
    }

    SpanningTree run() {
        base::Progress progress("cluster/hdbscan/tree", matrix_.rows.total - 1, "edges");
        while (components_ > 1) {
            const auto before = components_;
            auto best = least_known();
            auto open = open_components(best);
            const auto proven = std::count(open.begin(), open.end(), 0);
            if (proven * few < components_) {
                search(best);
                best = least_known();
                std::fill(open.begin(), open.end(), 0);
            }
            join(best, open);
            progress.advance(before - components_);
        }
        std::sort(tree_.begin(), tree_.end());
        return std::move(tree_);
    }

  private:
    static constexpr std::int64_t few = 16;  // fewer proven components than 1 of so many: search
    static constexpr std::int64_t most_centres = 256, rows_of_a_centre = 64;

    std::int64_t row_of(std::int64_t local) const { return lists_.rows.first + local; }
    std::int32_t component_of(std::int64_t row) const { return component_[at(row)]; }

    TreeEdge edge(std::int64_t a, std::int64_t b, double distance) const {
        return {.weight = std::max({core_[at(a)], core_[at(b)], distance / alpha_}),
                .distance = distance,
                .low = std::min(a, b),
                .high = std::max(a, b)};
    }

    // Whatever a list leaves out is at least as far as its last.
    void bound_by_lists() {
        if (lists_.k == lists_.rows.total - 1) return;  // nothing
        for (std::int64_t i = 0; i < lists_.rows.count; ++i) {
            const double last = lists_.distance_of(i).back();
            bound_[at(i)] = least_of(std::max(core_[at(row_of(i))], last / alpha_), last);
        }
    }

    // Of each component, over all ranks; not there if none is known.
    std::vector<TreeEdge> least_known() {
        std::vector<TreeEdge> best(at(components_));
        const auto offer = [&](std::int64_t a, std::int64_t b, double distance) {
            const auto offered = edge(a, b, distance);
            for (const auto row : {a, b}) {
                auto& least = best[at(component_of(row))];
                least = std::min(least, offered);
            }
        };
        std::erase_if(listed_, [&](std::int64_t i) {
            bool all_inside = true;
            const auto row = row_of(i);
            const auto index = lists_.index_of(i);
            for (std::size_t j = 0; j < index.size(); ++j) {
                if (component_of(index[j]) == component_of(row)) continue;
                all_inside = false;
                offer(row, index[j], lists_.distance_of(i)[j]);
            }
            return all_inside;
        });
        for (std::int64_t i = 0; i < lists_.rows.count; ++i)
            if (const auto to = found_.to[at(i)];
                to >= 0 && component_of(to) != component_of(row_of(i)))
                offer(row_of(i), to, found_.distance[at(i)]);
        return least_of_ranks(std::move(best));
    }

    std::vector<TreeEdge> least_of_ranks(std::vector<TreeEdge> own) const {
        if (comm_.size() == 1) return own;
        struct Offer {
            std::int64_t component;
            TreeEdge edge;
        };
        const comm::BlockDistribution blocks(components_, comm_.size());
        std::vector<std::vector<Offer>> offers(at(comm_.size()));
        for (std::int64_t c = 0; c < components_; ++c)
            if (own[at(c)].is_there()) offers[at(blocks.owner(c))].push_back({c, own[at(c)]});
        const auto mine = blocks.block(comm_.rank());
        std::vector<TreeEdge> least(at(mine.count));
        for (const auto& from_rank : comm_.exchange(offers))
            for (const auto& [component, edge] : from_rank) {
                auto& known = least[at(component - mine.first)];
                known = std::min(known, edge);
            }
        return comm_.all_gather(least);
    }

    bool is_open(std::int64_t i, const std::vector<TreeEdge>& best) const {
        return bound_[at(i)] < best[at(component_of(row_of(i)))];
    }

    // 1 for each component with a row that may have a lesser edge than the least known.
    std::vector<std::uint8_t> open_components(const std::vector<TreeEdge>& best) const {
        std::vector<std::uint8_t> open(best.size(), 0);
        for (std::int64_t i = 0; i < lists_.rows.count; ++i)
            if (is_open(i, best)) open[at(component_of(row_of(i)))] = 1;
        comm_.max(std::span(open));
        return open;
    }

    // Compares the open rows with all rows.
    void search(const std::vector<TreeEdge>& best) {
        update_groups();
        std::vector<double> limit(best.size());
        std::transform(best.begin(), best.end(), limit.begin(),
                       [](const TreeEdge& edge) { return edge.weight; });
        if (order_.empty())
            order_ = kernels::kokkos::layout_order(matrix_.values, at(matrix_.columns));
        std::vector<std::int32_t> open;
        for (const auto i : order_) {
            if (!is_open(i, best)) continue;
            open.push_back(i);
            found_.forget(at(i));
        }
        OutgoingSearch outgoing({matrix_.values, matrix_.rows.first, open}, frame(),
                                {.core = core_,
                                 .component = component_,
                                 .alpha = alpha_,
                                 .group = groups_.of_row,
                                 .groups = at(groups_.count),
                                 .centres = groups_.mean},
                                {found_.weight, found_.distance, found_.to, limit});
        RowRing ring(matrix_, order_, comm_);
        ring.go_round([&] { outgoing.add({ring.rows(), ring.first_row(), ring.order()}); });
        outgoing.finish();
        for (const auto i : open) raise_bound(i, limit);
    }

    const kernels::kokkos::Frame& frame() {
        if (frame_.centre.empty()) frame_ = make_frame(matrix_, comm_);
        return frame_;
    }

    // All edges of a weight within the limit have been looked at.
    void raise_bound(std::int64_t i, const std::vector<double>& limit) {
        bound_[at(i)] = TreeEdge{.weight = limit[at(component_of(row_of(i)))]};
        if (const auto to = found_.to[at(i)]; to >= 0)
            bound_[at(i)] = std::min(bound_[at(i)], edge(row_of(i), to, found_.distance[at(i)]));
    }

    // The more centres, the better planes between them bound distances; components only grow, so
    // one that is large now is a union of groups as they were.
    void update_groups() {
        std::vector<std::int64_t> size(at(components_)), order(at(components_));
        for (const auto component : component_) ++size[at(component)];
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(),
                         [&](auto a, auto b) { return size[at(a)] > size[at(b)]; });
        const auto large = std::count_if(size.begin(), size.end(),
                                         [](auto rows) { return rows >= rows_of_a_centre; });
        const auto centres = std::min(large, most_centres);
        if (centres < groups_.centres) return;
        std::vector<std::int32_t> number(at(components_));
        for (std::size_t i = 0; i < order.size(); ++i)
            number[at(order[i])] = static_cast<std::int32_t>(i);
        groups_ = {.of_row = component_, .count = components_, .centres = centres, .mean = {}};
        for (auto& group : groups_.of_row) group = number[at(group)];
        groups_.mean.resize(at(centres * matrix_.columns));
        for (std::int64_t i = 0; i < matrix_.rows.count; ++i) {
            const auto group = groups_.of_row[at(row_of(i))];
            if (group >= centres) continue;
            const auto share = 1 / static_cast<double>(size[at(order[at(group)])]);
            for (std::int64_t c = 0; c < matrix_.columns; ++c)
                groups_.mean[at(group * matrix_.columns + c)] += matrix_.row(i)[at(c)] * share;
        }
        comm_.sum(std::span(groups_.mean));
    }

    // Components of which the least edge is known join its other end.
    void join(const std::vector<TreeEdge>& best, const std::vector<std::uint8_t>& open) {
        base::UnionFind joined(components_);
        for (std::size_t c = 0; c < best.size(); ++c) {
            if (open[c] != 0) continue;
            const auto low = component_of(best[c].low), high = component_of(best[c].high);
            if (joined.first_of(low) == joined.first_of(high)) continue;
            joined.join(low, high);
            tree_.push_back(best[c]);
        }
        std::vector<std::int32_t> number(at(components_));
        std::int32_t count = 0;
        for (std::int64_t c = 0; c < components_; ++c) {
            const auto first = joined.first_of(c);
            number[at(c)] = first == c ? count++ : number[at(first)];
        }
        for (auto& component : component_) component = number[at(component)];
        components_ = count;
    }

    const store::Matrix<double>& matrix_;
    const Neighbours& lists_;
    double alpha_;
    const comm::Communicator& comm_;
    std::vector<double> core_;             // of all rows
    std::vector<std::int32_t> component_;  // of all rows
    std::int64_t components_;
    std::vector<std::int64_t> listed_;  // rows of this rank with another component in their list
    std::vector<TreeEdge> bound_;       // by row of this rank: no edge outwards that was not met
                                        // in its list or a search is below it
    Found found_;
    Groups groups_;
    std::vector<std::int32_t> order_;  // in which this rank's rows are laid out
    kernels::kokkos::Frame frame_{{}, 1};
    SpanningTree tree_;
};

}  // namespace

SpanningTree spanning_tree(const store::Matrix<double>& matrix, const Neighbours& neighbours,
                           std::span<const double> core, double alpha,
                           const comm::Communicator& comm) {
    return Boruvka(matrix, neighbours, core, alpha, comm).run();
}

}  // namespace nanoatlas::cluster
