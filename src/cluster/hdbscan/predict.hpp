// Where new rows stand in clusters that HDBSCAN has found, without finding them again.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cluster/hdbscan/selection.hpp"

namespace nanoatlas::cluster {

struct Membership {
    std::int32_t label = -1;
    double probability = 0;
    std::int64_t neighbour = -1;  ///< the row by which the new one joins
};

/// The rule of the hdbscan package's approximate_predict: a new row joins the row of least mutual
/// reachability at lambda = 1 / that, in the cluster which that row, or what it is part of, is in
/// then.
class MembershipRule {
  public:
    /// core  [N] of the known rows: the distance of the (min_samples - 1)-th other row, since the
    ///       package counts the row itself here, though not where it makes the tree
    MembershipRule(const CondensedTree& tree, const SelectedClusters& selected,
                   std::int64_t min_samples, std::vector<double> core);

    /// neighbour, distance: the 2 min_samples known rows nearest to the new one, ascending
    Membership predict(std::span<const std::int64_t> neighbour,
                       std::span<const double> distance) const;

  private:
    struct Departure {  // of a row or cluster from its parent
        std::int64_t parent = -1;
        double lambda = 0;
    };

    std::int64_t rows_;
    std::size_t min_samples_;
    std::vector<double> core_;
    std::vector<Departure> departure_;  // by number in the tree; the root has none
    std::vector<std::int32_t> label_;   // of each cluster, by place
    std::vector<double> greatest_;      // lambda in each selected cluster
};

}  // namespace nanoatlas::cluster
