#include "reduce/tsne/gradient.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/kokkos/attraction.hpp"
#include "kernels/kokkos/repulsion.hpp"
#include "kernels/kokkos/space_order.hpp"

namespace nanoatlas::reduce {
namespace {

namespace kokkos = kernels::kokkos;

kokkos::MapEdges edges_of(const Affinities& affinities, const comm::RowBlock& rows) {
    return {.begin = affinities.begin,
            .to = affinities.to,
            .p = affinities.p,
            .first = static_cast<std::size_t>(rows.first)};
}

}  // namespace

void MapGradient::put_in_order(const MapPoints& points) {
    constexpr double still_fits = 1.1;
    const auto size = [&] { return kokkos::leaf_size(points.y, points.dimensions, order_); };
    if (!order_.empty() && size() < still_fits * leaf_size_) return;
    order_ = kokkos::space_order(std::vector<double>(points.y.begin(), points.y.end()),
                                 points.dimensions, kokkos::repulsion_leaf);
    leaf_size_ = size();
}

std::vector<float> MapGradient::repel(const MapPoints& points, double& weight) {
    const auto leaves =
        comm::row_block(static_cast<std::int64_t>(kokkos::repulsion_leaves(points.count())), comm_);
    const auto own = kokkos::repulsion(points.y, points.dimensions, order_, theta_,
                                       static_cast<std::size_t>(leaves.first),
                                       static_cast<std::size_t>(leaves.count));
    weight = comm::ordered_sum(own.weight, leaves.first, comm_);
    const auto in_order = comm_.all_gather(own.force);
    std::vector<float> by_row(in_order.size());
    const auto d = points.dimensions;
    for (std::size_t place = 0; place < order_.size(); ++place)
        for (std::size_t c = 0; c < d; ++c)
            by_row[static_cast<std::size_t>(order_[place]) * d + c] = in_order[place * d + c];
    return by_row;
}

MapForces MapGradient::forces(const MapPoints& points) {
    put_in_order(points);
    MapForces forces;
    const auto all = repel(points, forces.weight);
    const auto d = static_cast<std::int64_t>(points.dimensions);
    forces.repulsion.assign(all.begin() + rows_.first * d, all.begin() + rows_.end() * d);
    forces.attraction =
        kokkos::attraction(points.y, points.dimensions, edges_of(affinities_, rows_));
    return forces;
}

double MapGradient::divergence(const MapPoints& points, double weight) const {
    const auto edges = edges_of(affinities_, rows_);
    const auto of_rows = kokkos::divergence(points.y, points.dimensions, edges);
    return comm::ordered_sum(of_rows, rows_.first, comm_) + std::log(weight);
}

}  // namespace nanoatlas::reduce
