#include "cluster/density_validity.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "cluster/numbered_labels.hpp"
#include "cluster/row_ring.hpp"
#include "kernels/kokkos/distance_minima.hpp"
#include "kernels/kokkos/squared_distance.hpp"

namespace nanoatlas::cluster {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// What the spanning tree of its cluster says of a row.
struct Node {
    std::int64_t row;
    double core;
    std::int32_t cluster;
    std::int32_t is_inner;
};

/// The rows of one cluster, all on this rank.
class Cluster {
  public:
    Cluster(std::vector<double> values, std::size_t columns)
        : values_(std::move(values)), columns_(columns), n_(values_.size() / columns) {
        find_cores();
        find_tree();
    }

    double core(std::size_t i) const { return core_[i]; }
    bool is_inner(std::size_t i) const { return is_inner_[i] != 0; }

    /// The longest edge between inner nodes; where there is none, of all.
    double sparseness() const {
        double longest = -1, longest_inner = -1;
        for (const auto& edge : edges_) {
            longest = std::max(longest, edge.length);
            if (is_inner(edge.from) && is_inner(edge.to))
                longest_inner = std::max(longest_inner, edge.length);
        }
        return longest_inner < 0 ? longest : longest_inner;
    }

  private:
    struct Edge {
        std::size_t from, to;
        double length;
    };

    double square(std::size_t i, std::size_t j) const {
        return kernels::kokkos::squared_distance(&values_[i * columns_], &values_[j * columns_],
                                                 columns_);
    }

    // (mean of distance^-D over the others)^(-1/D); powers are taken of the ratio to the least.
    // Rows at distance 0 count as nothing.
    void find_cores() {
        core_.assign(n_, 0);
        const double half = static_cast<double>(columns_) / 2;
#pragma omp parallel for schedule(dynamic, 16)
        for (std::size_t i = 0; i < n_; ++i) {
            std::vector<double> squares;
            double least = infinity;
            for (std::size_t j = 0; j < n_; ++j) {
                const double now = square(i, j);
                if (now == 0) continue;
                squares.push_back(now);
                least = std::min(least, now);
            }
            double sum = 0;
            for (const double now : squares) sum += std::pow(least / now, half);
            if (sum > 0)
                core_[i] =
                    std::sqrt(least) * std::pow(sum / static_cast<double>(n_ - 1), -0.5 / half);
        }
    }

    // Of distances between rows and cores: Prim's algorithm from the first row on. A row that
    // joins hangs from the first row of the tree at that distance, within what numpy.isclose
    // takes for equal: which rows are inner ones rests on it.
    void find_tree() {
        std::vector<double> reach(n_, infinity), from_last(n_);
        std::vector<std::uint8_t> joined(n_, 0);
        std::vector<std::size_t> degree(n_, 0);
        std::size_t last = 0;
        double length = 0;
        for (std::size_t step = 0; step < n_; ++step) {
#pragma omp parallel for
            for (std::size_t j = 0; j < n_; ++j)
                from_last[j] = std::max({std::sqrt(square(last, j)), core_[last], core_[j]});
            if (step > 0) {
                std::size_t parent = 0;
                const double slack = 1e-8 + 1e-5 * length;
                while (joined[parent] == 0 || std::abs(from_last[parent] - length) > slack)
                    ++parent;
                edges_.push_back({parent, last, length});
                ++degree[parent];
                ++degree[last];
            }
            joined[last] = 1;
            std::size_t next = n_;
            for (std::size_t j = 0; j < n_; ++j) {
                if (joined[j] != 0) continue;
                reach[j] = std::min(reach[j], from_last[j]);
                if (next == n_ || reach[j] < reach[next]) next = j;
            }
            if (next == n_) break;
            last = next;
            length = reach[next];
        }
        bool any = false;
        for (const auto edges : degree) {
            is_inner_.push_back(edges > 1 ? 1 : 0);
            any = any || edges > 1;
        }
        if (!any) is_inner_[0] = 1;
    }

    std::vector<double> values_;
    std::size_t columns_, n_;
    std::vector<double> core_;
    std::vector<std::uint8_t> is_inner_;
    std::vector<Edge> edges_;
};

class Validity {
  public:
    Validity(const store::Matrix<double>& matrix, std::span<const std::int64_t> labels,
             const comm::Communicator& comm)
        : matrix_(matrix), comm_(comm), numbered_(labels) {
        for (std::size_t k = 0; k < numbered_.clusters(); ++k)
            if (numbered_.name[k] >= 0 && numbered_.size[k] > 1) counted_.push_back(k);
    }

    double run() {
        if (counted_.size() < 2) return std::numeric_limits<double>::quiet_NaN();
        measure_clusters();
        const auto separation = separations();
        double sum = 0;
        for (const auto k : counted_) {
            const double larger = std::max(separation[k], sparseness_[k]);
            if (larger > 0)
                sum += static_cast<double>(numbered_.size[k]) * (separation[k] - sparseness_[k]) /
                       larger;
        }
        return sum / static_cast<double>(matrix_.rows.total);
    }

  private:
    std::int32_t cluster_of(std::int64_t row) const {
        return numbered_.label[static_cast<std::size_t>(row)];
    }
    std::size_t owner(std::size_t k) const { return k % static_cast<std::size_t>(comm_.size()); }

    // Each cluster on the rank that owns it.
    void measure_clusters() {
        std::vector<std::vector<double>> parts(static_cast<std::size_t>(comm_.size()));
        for (std::int64_t i = 0; i < matrix_.rows.count; ++i) {
            const auto k = cluster_of(matrix_.rows.first + i);
            const auto row = matrix_.row(i);
            auto& part = parts[owner(static_cast<std::size_t>(k))];
            if (is_counted(k)) part.insert(part.end(), row.begin(), row.end());
        }
        std::vector<double> values;  // of rows whose cluster is this rank's, ascending
        for (const auto& part : comm_.exchange(parts))
            values.insert(values.end(), part.begin(), part.end());
        std::vector<std::vector<std::int64_t>> rows(numbered_.clusters());
        std::vector<std::vector<double>> of_cluster(numbered_.clusters());
        const auto columns = matrix_.columns;
        auto next = values.begin();
        for (std::int64_t row = 0; row < matrix_.rows.total; ++row) {
            const auto k = static_cast<std::size_t>(cluster_of(row));
            if (!is_counted(cluster_of(row)) || static_cast<int>(owner(k)) != comm_.rank())
                continue;
            rows[k].push_back(row);
            of_cluster[k].insert(of_cluster[k].end(), next, next + columns);
            next += columns;
        }
        std::vector<Node> nodes;
        sparseness_.assign(numbered_.clusters(), 0);
        for (std::size_t k = 0; k < rows.size(); ++k) {
            if (rows[k].empty()) continue;
            const Cluster cluster(std::move(of_cluster[k]), static_cast<std::size_t>(columns));
            sparseness_[k] = cluster.sparseness();
            for (std::size_t i = 0; i < rows[k].size(); ++i)
                nodes.push_back({rows[k][i], cluster.core(i), static_cast<std::int32_t>(k),
                                 cluster.is_inner(i) ? 1 : 0});
        }
        comm_.max(std::span(sparseness_));
        nodes_.assign(static_cast<std::size_t>(matrix_.rows.total), Node{0, 0, -1, 0});
        for (const auto& node : comm_.all_gather(nodes))
            nodes_[static_cast<std::size_t>(node.row)] = node;
    }

    bool is_counted(std::int32_t k) const {
        return std::binary_search(counted_.begin(), counted_.end(), static_cast<std::size_t>(k));
    }

    /// The inner nodes among some rows.
    struct Inner {
        std::vector<double> values, core;
        std::vector<std::int64_t> cluster;
    };
    Inner inner_nodes(std::span<const double> values, const comm::RowBlock& rows) const {
        Inner inner;
        const auto columns = static_cast<std::size_t>(matrix_.columns);
        for (std::int64_t i = 0; i < rows.count; ++i) {
            const auto& node = nodes_[static_cast<std::size_t>(rows.first + i)];
            if (node.is_inner == 0) continue;
            const auto row = values.subspan(static_cast<std::size_t>(i) * columns, columns);
            inner.values.insert(inner.values.end(), row.begin(), row.end());
            inner.core.push_back(node.core);
            inner.cluster.push_back(node.cluster);
        }
        return inner;
    }

    std::vector<double> separations() const {
        const auto mine = inner_nodes(matrix_.values, matrix_.rows);
        std::vector<double> least(mine.core.size(), infinity);
        RowRing ring(matrix_, comm_);
        ring.go_round([&] {
            const auto other = inner_nodes(ring.rows(), ring.present());
            kernels::kokkos::update_least_reach({mine.values, mine.cluster, mine.core},
                                                {other.values, other.cluster, other.core},
                                                static_cast<std::size_t>(matrix_.columns), least);
        });
        std::vector<double> negative(numbered_.clusters(), -infinity);
        for (std::size_t i = 0; i < least.size(); ++i) {
            auto& of_cluster = negative[static_cast<std::size_t>(mine.cluster[i])];
            of_cluster = std::max(of_cluster, -least[i]);
        }
        comm_.max(std::span(negative));
        for (double& value : negative) value = -value;
        return negative;
    }

    const store::Matrix<double>& matrix_;
    const comm::Communicator& comm_;
    NumberedLabels numbered_;
    std::vector<std::size_t> counted_;  // clusters of at least two rows, no noise
    std::vector<double> sparseness_;    // by cluster
    std::vector<Node> nodes_;           // of all rows; cluster -1 where it is not counted
};

}  // namespace

double density_validity(const store::Matrix<double>& matrix, std::span<const std::int64_t> labels,
                        const comm::Communicator& comm) {
    return Validity(matrix, labels, comm).run();
}

}  // namespace nanoatlas::cluster
