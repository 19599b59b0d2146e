#include "cluster/panel_forecast.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

#include "kernels/kokkos/squared_distance.hpp"

namespace nanoatlas::cluster {
namespace {

constexpr std::size_t searchers = 128;
constexpr std::int64_t sample_size = 1024, fewest_rows = 16384;
// Of the panels; on AVX2 all pairs of 50 columns take 10 cycles each, a panel's twice 8.5.
constexpr double share_that_pays = 0.6;

/// Distances of one row of the sample.
struct Surroundings {
    double nearest = 0;  // of any other row
    double limit = 0;    // within which there are as many rows as are asked for
};

class Sample {
  public:
    Sample(const std::vector<float>& rows, std::size_t columns) : rows_(rows), columns_(columns) {}

    // Of the panels around rows of the sample, those that others must look at: whose ball, about as
    // large as the way to the nearest row of the sample, reaches into theirs.
    // share: of all rows, those that are neighbours
    double share_within_reach(double share) const {
        const std::size_t step = count() / searchers;
        std::vector<Surroundings> seen;
        for (std::size_t i = 0; i < searchers; ++i) seen.push_back(look_around(i * step, share));
        std::size_t within = 0;
        for (std::size_t i = 0; i < searchers; ++i)
            for (std::size_t j = 0; j < searchers; ++j)
                within += static_cast<std::size_t>(j != i && distance(i * step, j * step) <=
                                                                 seen[i].limit + seen[j].nearest);
        return static_cast<double>(within) / static_cast<double>(searchers * (searchers - 1));
    }

  private:
    std::size_t count() const { return rows_.size() / columns_; }

    double distance(std::size_t i, std::size_t j) const {
        return std::sqrt(kernels::kokkos::squared_distance(&rows_[i * columns_],
                                                           &rows_[j * columns_], columns_));
    }

    Surroundings look_around(std::size_t i, double share) const {
        std::vector<double> others;
        for (std::size_t j = 0; j < count(); ++j)
            if (j != i) others.push_back(distance(i, j));
        const auto rank =
            std::min(static_cast<std::ptrdiff_t>(share * static_cast<double>(others.size())),
                     std::ssize(others) - 1);
        std::nth_element(others.begin(), others.begin() + rank, others.end());
        return {.nearest = *std::min_element(others.begin(), others.begin() + rank + 1),
                .limit = others[static_cast<std::size_t>(rank)]};
    }

    const std::vector<float>& rows_;
    std::size_t columns_;
};

}  // namespace

void choose_panels_or_pairs(kernels::kokkos::Frame& frame, std::int64_t rows, int k,
                            const ReadRow& read, const comm::Communicator& comm) {
    const std::size_t columns = frame.centre.size();
    if (rows < fewest_rows || !kernels::kokkos::may_compare_all(columns, rows / comm.size(), k))
        return;
    const auto sample = sample_rows(frame, rows, sample_size, read, comm);
    const double share = static_cast<double>(k) / static_cast<double>(rows - 1);
    frame.compares_all =
        comm.broadcast(Sample(sample, columns).share_within_reach(share) > share_that_pays);
}

}  // namespace nanoatlas::cluster
