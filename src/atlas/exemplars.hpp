// Which members of a cluster to show: its centre, what is typical, what lies at its border, and
// what hardly belongs.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace nanoatlas::atlas {

/// One member, and the figure it was chosen for.
struct Exemplar {
    std::int64_t row = 0;
    double value = 0;
};

struct ClusterMembers {
    std::vector<std::int64_t> rows;  ///< all, ascending
    std::int64_t centre = -1;        ///< a row
    /// The member with the least sum of squared distances to the others: nearest to their mean.
    std::int64_t medoid = -1;
    std::vector<Exemplar> nearest;  ///< by distance to the centre, which is left out
    std::vector<Exemplar> across;   ///< by distance, from the centre to the farthest, at even steps
                                    ///< of rank: a fair sample
    std::vector<Exemplar> densest;  ///< by descending density; empty if that is not known
    std::vector<Exemplar> border;   ///< by ascending margin; empty if there is one cluster only
    std::vector<Exemplar> odd;      ///< by ascending density; by descending distance without it
};

/// What the choice rests on, N rows.
struct Members {
    std::span<const float> points;  ///< [N, columns]
    std::int64_t columns = 0;
    std::span<const std::int32_t> label;    ///< -1: in no cluster
    std::span<const double> density;        ///< or any other measure of how typical; may be empty
    std::span<const std::int64_t> centres;  ///< row of each cluster's centre; may be empty
    int clusters = 0;
};

/// Without given centres, the member nearest to the mean of its cluster is the centre. The margin
/// of a member is (b - a) / (a + b), a its distance to its own centre, b to the nearest other one:
/// 1 at its centre, 0 half way between two, negative where another centre is nearer. Of equal
/// figures the lower row comes first.
/// most: members of each kind at most, 2 or more
std::vector<ClusterMembers> choose_exemplars(const Members& members, std::size_t most);

}  // namespace nanoatlas::atlas
