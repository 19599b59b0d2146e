#include "cluster/panel_forecast.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

namespace nanoatlas::cluster {
namespace {

constexpr std::size_t searchers = 128;
constexpr std::int64_t sample_size = 1024, fewest_rows = 16384;
// Of the panels; on AVX2 all pairs of 50 columns take 10 cycles each, a panel's twice 8.5.
constexpr double share_that_pays = 0.6;

double squared_distance(const float* a, const float* b, std::size_t columns) {
    double sum = 0;
    for (std::size_t c = 0; c < columns; ++c) {
        const double apart = double{a[c]} - double{b[c]};
        sum += apart * apart;
    }
    return sum;
}

/// Distances of one row of the sample.
struct Surroundings {
    std::vector<double> distance;  // of the other searchers
    double nearest = 0;            // of any other row
    double limit = 0;              // within which there are as many rows as are asked for
};

Surroundings look_around(const std::vector<float>& sample, std::size_t columns, std::size_t i,
                         double share) {
    Surroundings seen;
    std::vector<double> all;
    for (std::size_t j = 0; j < sample.size() / columns; ++j) {
        if (j == i) continue;
        all.push_back(
            std::sqrt(squared_distance(&sample[i * columns], &sample[j * columns], columns)));
        if (j % (sample.size() / columns / searchers) == 0) seen.distance.push_back(all.back());
    }
    const auto rank = std::min(static_cast<std::ptrdiff_t>(share * static_cast<double>(all.size())),
                               std::ssize(all) - 1);
    std::nth_element(all.begin(), all.begin() + rank, all.end());
    seen.limit = all[static_cast<std::size_t>(rank)];
    seen.nearest = *std::min_element(all.begin(), all.end());
    return seen;
}

// Of the panels around rows of the sample, those that others must look at: whose ball, about as
// large as the way to the nearest row of the sample, reaches into theirs.
double share_within_reach(const std::vector<float>& sample, std::size_t columns, double share) {
    const std::size_t n = sample.size() / columns, step = n / searchers;
    std::vector<Surroundings> seen;
    for (std::size_t i = 0; i < n; i += step)
        seen.push_back(look_around(sample, columns, i, share));
    std::size_t within = 0, pairs = 0;
    for (std::size_t i = 0; i < seen.size(); ++i)
        for (std::size_t j = 0; j < seen.size(); ++j) {
            if (j == i) continue;
            const double distance = seen[i].distance[j < i ? j : j - 1];
            within += static_cast<std::size_t>(distance <= seen[i].limit + seen[j].nearest);
            ++pairs;
        }
    return static_cast<double>(within) / static_cast<double>(pairs);
}

}  // namespace

void choose_panels_or_pairs(kernels::kokkos::Frame& frame, std::int64_t rows, int k,
                            const ReadRow& read, const comm::Communicator& comm) {
    const std::size_t columns = frame.centre.size();
    if (rows < fewest_rows || !kernels::kokkos::may_compare_all(columns, rows / comm.size(), k))
        return;
    const auto sample = sample_rows(frame, rows, sample_size, read, comm);
    const double share = static_cast<double>(k) / static_cast<double>(rows - 1);
    frame.compares_all =
        comm.broadcast(share_within_reach(sample, columns, share) > share_that_pays);
}

}  // namespace nanoatlas::cluster
