// Lloyd's iteration on a matrix that stays: many starts, one preparation of the rows.
#pragma once

#include <span>
#include <vector>

#include "cluster/kmeans.hpp"
#include "kernels/kokkos/nearest_centres.hpp"

namespace nanoatlas::cluster {

class Lloyd {
  public:
    /// matrix  must outlive it. Collective, as all members are.
    /// throws InputError if squared distances leave the range of f64
    Lloyd(const store::Matrix<double>& matrix, std::size_t clusters,
          const comm::Communicator& comm);

    /// From centres [K, columns], equal on all ranks, until no row changes its cluster, or so many
    /// assignments.
    KMeans run(std::vector<double> start, int iterations);

  private:
    /// Of the sums over all ranks.
    std::span<const std::int64_t> counts() const { return std::span(totals_).last(clusters_); }
    /// Adds what this rank's rows changed to the sums; returns how many did on all ranks.
    std::int64_t add_changes(std::int64_t changed);
    void move_centres();
    /// True if rows were moved, on whatever rank.
    bool refill_empty_clusters();
    struct Far;
    /// Of all ranks, the furthest from its centre first.
    std::vector<Far> furthest_rows(std::size_t count) const;
    void describe(KMeans& result) const;

    const store::Matrix<double>& matrix_;
    const comm::Communicator& comm_;
    std::size_t columns_, clusters_;
    kernels::kokkos::Frame frame_;
    kernels::kokkos::NearestCentres rows_;
    std::vector<double> centre_;        ///< [K, columns]
    std::vector<std::int64_t> totals_;  ///< sums [K, columns] and counts [K] over all ranks
};

}  // namespace nanoatlas::cluster
