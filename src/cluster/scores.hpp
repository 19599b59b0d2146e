// How well a clustering agrees with known classes.
//
// Definitions and corner cases as in scikit-learn 1.x, so that figures can be compared.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace nanoatlas::cluster {

struct Scores {
    double nmi = 0;              ///< mutual information over the mean of the entropies
    double ami = 0;              ///< the same, adjusted for chance
    double ari = 0;              ///< Rand index, adjusted for chance
    double homogeneity = 0;      ///< 1: each cluster is of one class
    double completeness = 0;     ///< 1: each class is in one cluster
    double v_measure = 0;        ///< harmonic mean of these two
    double fowlkes_mallows = 0;  ///< geometric mean of precision and recall over pairs of rows
    double purity = 0;           ///< share of rows that are of their cluster's commonest class
    std::int64_t rows = 0, clusters = 0, classes = 0;
};

/// Any whole numbers as labels; each is a class or cluster of its own, -1 too. Not collective.
/// throws InputError if there are no rows, or the lengths differ
Scores compare(std::span<const std::int64_t> clusters, std::span<const std::int64_t> truth);

/// How often each (cluster, class) occurs; only those that occur.
struct Contingency {
    struct Cell {
        std::int64_t cluster, truth, count;  ///< numbers of cluster and class, from 0
    };
    std::vector<Cell> cells;
    std::vector<std::int64_t> cluster_sizes, class_sizes;
    std::int64_t rows = 0;
};
Contingency contingency(std::span<const std::int64_t> clusters,
                        std::span<const std::int64_t> truth);

/// What compare() says of labels with that table; it has at least one row.
Scores scores_of(const Contingency& table);

/// Mean of the mutual information [nats] over all pairs of partitions with those sizes. Vinh, Epps,
/// Bailey, J. Mach. Learn. Res. 11 (2010) 2837, eq. 24. Sizes that occur more than once count once.
double expected_mutual_information(std::span<const std::int64_t> cluster_sizes,
                                   std::span<const std::int64_t> class_sizes, std::int64_t rows);

}  // namespace nanoatlas::cluster
