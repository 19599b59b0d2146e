#include "cluster/dimension.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"

namespace nanoatlas::cluster {
namespace {

constexpr double fraction_of_ratios = 0.9;  // the highest are outliers more often than not

std::vector<double> sorted_log_ratios(const Neighbours& neighbours,
                                      const comm::Communicator& comm) {
    std::vector<double> own;
    for (std::int64_t i = 0; i < neighbours.rows.count; ++i) {
        const auto distance = neighbours.distance_of(i);
        own.push_back(std::log(distance[1] / distance[0]));
    }
    auto all = comm.all_gather(own);
    std::sort(all.begin(), all.end());
    return all;
}

void check_lists(const Neighbours& neighbours, const comm::Communicator& comm) {
    VALIDATE(neighbours.k >= 2,
             "cannot estimate the intrinsic dimension from {} rows (it takes two neighbours of "
             "each); give --dimension",
             neighbours.rows.total);
    check_rows_differ(neighbours, comm);
}

}  // namespace

double mean_distance(const Neighbours& neighbours, int rank, const comm::Communicator& comm) {
    std::vector<double> own;
    for (std::int64_t i = 0; i < neighbours.rows.count; ++i) {
        const auto distance = neighbours.distance_of(i);
        own.push_back(distance[static_cast<std::size_t>(rank - 1)] +
                      distance[static_cast<std::size_t>(rank / 2 - 1)]);
    }
    return comm::ordered_sum(own, neighbours.rows.first, comm) /
           (2 * static_cast<double>(neighbours.rows.total));
}

DimensionEstimate two_nn_fit(const Neighbours& neighbours, const comm::Communicator& comm) {
    check_lists(neighbours, comm);
    const auto ratios = sorted_log_ratios(neighbours, comm);
    const auto total = static_cast<double>(ratios.size());
    const auto used = static_cast<std::size_t>(total * fraction_of_ratios);
    const auto height = [&](std::size_t i) {
        return -std::log(1 - static_cast<double>(i + 1) / total);
    };
    double products = 0, squares = 0, residuals = 0;
    for (std::size_t i = 0; i < used; ++i) {
        products += ratios[i] * height(i);
        squares += ratios[i] * ratios[i];
    }
    VALIDATE(squares > 0,
             "cannot estimate the intrinsic dimension (the two nearest neighbours of nearly every "
             "row are equally far, as on a grid); give --dimension");
    const double slope = products / squares;
    for (std::size_t i = 0; i < used; ++i) {
        const double residual = height(i) - slope * ratios[i];
        residuals += residual * residual;
    }
    const double freedom = std::max(1.0, static_cast<double>(used) - 1);
    return {.dimension = slope,
            .error = std::sqrt(residuals / freedom / squares),
            .scale = mean_distance(neighbours, 2, comm),
            .rows = neighbours.rows.total,
            .rank = 2};
}

double two_nn_dimension(const Neighbours& neighbours, const comm::Communicator& comm) {
    return two_nn_fit(neighbours, comm).dimension;
}

DimensionEstimate two_nn_likelihood(const Neighbours& neighbours, const comm::Communicator& comm) {
    check_lists(neighbours, comm);
    double sum = 0;
    for (const double ratio : sorted_log_ratios(neighbours, comm)) sum += ratio;
    VALIDATE(sum > 0,
             "cannot estimate the intrinsic dimension (the two nearest neighbours of every row are "
             "equally far, as on a grid)");
    const auto total = static_cast<double>(neighbours.rows.total);
    const double dimension = (total - 1) / sum;
    return {.dimension = dimension,
            .error = dimension / std::sqrt(std::max(1.0, total - 2)),
            .scale = mean_distance(neighbours, 2, comm),
            .rows = neighbours.rows.total,
            .rank = 2};
}

}  // namespace nanoatlas::cluster
