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

}  // namespace

double two_nn_dimension(const Neighbours& neighbours, const comm::Communicator& comm) {
    VALIDATE(neighbours.k >= 2,
             "cannot estimate the intrinsic dimension from {} rows (it takes two neighbours of "
             "each); give --dimension",
             neighbours.rows.total);
    check_rows_differ(neighbours, comm);
    const auto ratios = sorted_log_ratios(neighbours, comm);
    const auto total = static_cast<double>(ratios.size());
    const auto used = static_cast<std::size_t>(total * fraction_of_ratios);
    double products = 0, squares = 0;
    for (std::size_t i = 0; i < used; ++i) {
        products -= ratios[i] * std::log(1 - static_cast<double>(i + 1) / total);
        squares += ratios[i] * ratios[i];
    }
    VALIDATE(squares > 0,
             "cannot estimate the intrinsic dimension (the two nearest neighbours of nearly every "
             "row are equally far, as on a grid); give --dimension");
    return products / squares;
}

}  // namespace nanoatlas::cluster
