#include "cluster/hdbscan/condensed_tree.hpp"

#include <limits>

namespace nanoatlas::cluster {
namespace {

class Condenser {
  public:
    Condenser(std::span<const Merger> mergers, std::int64_t min_cluster_size)
        : mergers_(mergers), min_size_(min_cluster_size) {
        tree_.rows = std::ssize(mergers) + 1;
    }

    CondensedTree run() {
        struct Part {
            std::int64_t node, cluster;
        };
        // A part is of at least min_cluster_size rows, but for the root.
        std::vector<Part> level = {{2 * tree_.rows - 2, tree_.rows}}, next;
        for (; !level.empty(); level.swap(next), next.clear())
            for (const auto& [node, cluster] : level) {
                const auto& merger = mergers_[static_cast<std::size_t>(node - tree_.rows)];
                const double lambda = merger.distance > 0 ? 1 / merger.distance
                                                          : std::numeric_limits<double>::infinity();
                const bool is_split = is_large(merger.left) && is_large(merger.right);
                for (const auto part : {merger.left, merger.right}) {
                    if (!is_large(part)) {
                        let_fall(part, cluster, lambda);
                        continue;
                    }
                    const auto number = is_split ? tree_.rows + tree_.clusters++ : cluster;
                    if (is_split) add(cluster, number, lambda, size(part));
                    next.push_back({part, number});
                }
            }
        return std::move(tree_);
    }

  private:
    std::int64_t size(std::int64_t node) const {
        return node < tree_.rows ? 1 : mergers_[static_cast<std::size_t>(node - tree_.rows)].size;
    }
    bool is_large(std::int64_t node) const { return size(node) >= min_size_; }

    void add(std::int64_t parent, std::int64_t child, double lambda, std::int64_t size) {
        tree_.parent.push_back(parent);
        tree_.child.push_back(child);
        tree_.lambda.push_back(lambda);
        tree_.size.push_back(size);
    }

    // All rows below a node, breadth first.
    void let_fall(std::int64_t node, std::int64_t cluster, double lambda) {
        falling_.assign(1, node);
        for (std::size_t i = 0; i < falling_.size(); ++i) {
            const auto part = falling_[i];
            if (part < tree_.rows) {
                add(cluster, part, lambda, 1);
                continue;
            }
            const auto& merger = mergers_[static_cast<std::size_t>(part - tree_.rows)];
            falling_.push_back(merger.left);
            falling_.push_back(merger.right);
        }
    }

    std::span<const Merger> mergers_;
    std::int64_t min_size_;
    std::vector<std::int64_t> falling_;
    CondensedTree tree_;
};

}  // namespace

CondensedTree condense(std::span<const Merger> mergers, std::int64_t min_cluster_size) {
    return Condenser(mergers, min_cluster_size).run();
}

}  // namespace nanoatlas::cluster
