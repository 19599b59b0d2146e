#include "cluster/hdbscan/predict.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "cluster/hdbscan/membership.hpp"

namespace nanoatlas::cluster {
namespace {

std::size_t at(std::int64_t number) {
    return static_cast<std::size_t>(number);
}

}  // namespace

MembershipRule::MembershipRule(const CondensedTree& tree, const SelectedClusters& selected,
                               std::int64_t min_samples, std::vector<double> core)
    : rows_(tree.rows),
      min_samples_(at(min_samples)),
      core_(std::move(core)),
      departure_(at(tree.rows + tree.clusters)),
      label_(labels_of_clusters(tree, selected)) {
    for (std::size_t line = 0; line < tree.lines(); ++line)
        departure_[at(tree.child[line])] = {tree.parent[line], tree.lambda[line]};
    const auto death = deaths(tree);
    for (const auto cluster : selected.number) greatest_.push_back(death[tree.place(cluster)]);
}

Membership MembershipRule::predict(std::span<const std::int64_t> neighbour,
                                   std::span<const double> distance) const {
    Membership result;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < neighbour.size(); ++i) {
        const double reachability =
            std::max({core_[at(neighbour[i])], distance[min_samples_], distance[i]});
        if (reachability < least) {
            least = reachability;
            result.neighbour = neighbour[i];
        }
    }
    const double lambda = least > 0 ? 1 / least : std::numeric_limits<double>::max();
    auto [cluster, leaves_at] = departure_[at(result.neighbour)];
    if (leaves_at > lambda)
        while (cluster > rows_ && departure_[at(cluster)].lambda >= lambda)
            cluster = departure_[at(cluster)].parent;
    result.label = label_[at(cluster - rows_)];
    if (result.label < 0) return result;
    const double greatest = greatest_[at(result.label)];
    result.probability = std::min(lambda, greatest) / greatest;
    return result;
}

}  // namespace nanoatlas::cluster
