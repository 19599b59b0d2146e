// The forces on all points of a t-SNE map, shared out among the ranks.
#pragma once

#include <cstdint>
#include <vector>

#include "reduce/tsne/affinities.hpp"

namespace nanoatlas::reduce {

/// A map's points, the same on every rank: [N, dimensions].
struct MapPoints {
    std::size_t dimensions = 2;
    std::vector<float> y;

    std::size_t count() const { return y.size() / dimensions; }
};

/// The forces on this rank's rows, [rows.count, dimensions], and the sum over all pairs of
/// 1 / (1 + |y_i - y_j|^2).
struct MapForces {
    std::vector<float> attraction, repulsion;
    double weight = 0;
};

class MapGradient {
  public:
    /// affinities must outlive it. theta: as kernels/kokkos/repulsion.hpp has it.
    MapGradient(const Affinities& affinities, double theta, const comm::RowBlock& rows,
                const comm::Communicator& comm)
        : affinities_(affinities), theta_(theta), rows_(rows), comm_(comm) {}

    /// The gradient of the divergence is 4 (attraction - repulsion / weight). Collective; the same
    /// bits on any number of ranks and threads. The order in which points lie close together is
    /// that of an earlier call, found anew every 10 calls: points move little in between.
    MapForces forces(const MapPoints& points);

    /// Kullback and Leibler's divergence of the map's probabilities from the affinities [nats].
    /// Collective. weight: of forces() at these points
    double divergence(const MapPoints& points, double weight) const;

  private:
    /// Not collective.
    void put_in_order(const MapPoints& points);
    /// The repulsion on all points, [N, D], and the weight. Collective.
    std::vector<float> repel(const MapPoints& points, double& weight);

    const Affinities& affinities_;
    double theta_;
    comm::RowBlock rows_;
    const comm::Communicator& comm_;
    std::vector<std::int32_t> order_;
    double leaf_size_ = 0;  ///< of the points for which the order was made
};

}  // namespace nanoatlas::reduce
