#include "cluster/density.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "base/check.hpp"
#include "cluster/ask.hpp"
#include "kernels/kokkos/density.hpp"
#include "kernels/reference/density.hpp"

namespace nanoatlas::cluster {
namespace {

// The search for k* in rounds: a round tests a few ranks of all rows still open, so that nobody
// fetches more of the lists of other ranks than the tests come to need.
class KstarSearch {
  public:
    KstarSearch(const Neighbours& neighbours, double dimension, const comm::Communicator& comm)
        : lists_(neighbours),
          comm_(comm),
          blocks_(neighbours.rows.total, comm.size()),
          limits_(kernels::kokkos::kstar_ratio_limits(dimension, neighbours.k)),
          partner_(static_cast<std::size_t>(neighbours.rows.count) * round_width),
          kstar_(static_cast<std::size_t>(neighbours.rows.count), std::min(3, neighbours.k)),
          open_(kstar_.size(), 1),
          requests_(static_cast<std::size_t>(comm.size())),
          places_(requests_.size()) {
        for (int rank = 0; rank < comm.size(); ++rank) first_.push_back(blocks_.block(rank).first);
    }

    std::vector<std::int32_t> run() {
        for (int rank = 3; rank < lists_.k - 1 && anything_open(); rank += round_width) {
            const int width = std::min(round_width, lists_.k - 1 - rank);
            fill_from_own_lists(rank, width);
            if (comm_.size() > 1) fill_from_other_ranks(rank, width);
            kernels::kokkos::extend_kstar(
                lists_.distance, lists_.k, limits_,
                std::span(partner_).first(kstar_.size() * static_cast<std::size_t>(width)), rank,
                width, kstar_, open_);
        }
        return std::move(kstar_);
    }

  private:
    static constexpr int round_width = 8;
    struct Radius {  // asks for the distance of a neighbour of a row, numbered on its own rank
        std::int32_t row, rank;
    };

    bool anything_open() const {
        return comm_.any(std::find(open_.begin(), open_.end(), 1) != open_.end());
    }
    double radius(const Radius& wanted) const {
        return lists_.distance_of(wanted.row)[static_cast<std::size_t>(wanted.rank - 1)];
    }
    bool is_own(std::int64_t row) const {
        return row >= lists_.rows.first && row < lists_.rows.end();
    }
    // The row of whose list the test of a rank of a local row needs the radius of that rank.
    std::int64_t tested(std::int64_t local, int rank) const {
        return lists_.index_of(local)[static_cast<std::size_t>(rank)];
    }

    void fill_from_own_lists(int first_rank, int width) {
#pragma omp parallel for
        for (std::int64_t i = 0; i < lists_.rows.count; ++i) {
            if (open_[static_cast<std::size_t>(i)] == 0) continue;
            for (int column = 0; column < width; ++column) {
                const auto row = tested(i, first_rank + column);
                if (is_own(row))
                    partner_[static_cast<std::size_t>(i * width + column)] = radius(
                        {static_cast<std::int32_t>(row - lists_.rows.first), first_rank + column});
            }
        }
    }

    void fill_from_other_ranks(int first_rank, int width) {
        for (std::size_t r = 0; r < requests_.size(); ++r) {
            requests_[r].clear();
            places_[r].clear();
        }
        for (std::int64_t i = 0; i < lists_.rows.count; ++i) {
            if (open_[static_cast<std::size_t>(i)] == 0) continue;
            for (int column = 0; column < width; ++column) {
                const auto row = tested(i, first_rank + column);
                if (is_own(row)) continue;
                const auto r = static_cast<std::size_t>(blocks_.owner(row));
                requests_[r].push_back(
                    {static_cast<std::int32_t>(row - first_[r]), first_rank + column});
                places_[r].push_back(static_cast<std::size_t>(i * width + column));
            }
        }
        const auto answers = ask<double>(
            requests_, [&](const Radius& want) { return radius(want); }, comm_);
        for (std::size_t r = 0; r < answers.size(); ++r)
            for (std::size_t i = 0; i < answers[r].size(); ++i)
                partner_[places_[r][i]] = answers[r][i];
    }

    const Neighbours& lists_;
    const comm::Communicator& comm_;
    comm::BlockDistribution blocks_;
    std::vector<double> limits_, partner_;
    std::vector<std::int32_t> kstar_;
    std::vector<std::uint8_t> open_;
    std::vector<std::vector<Radius>> requests_;     // by rank; room kept from round to round
    std::vector<std::vector<std::size_t>> places_;  // where the answers go
    std::vector<std::int64_t> first_;               // row of each rank
};

void check_there_is_a_density(const Neighbours& neighbours, double dimension,
                              const comm::Communicator& comm) {
    VALIDATE(dimension > 0 && std::isfinite(dimension),
             "the intrinsic dimension is {} (a density needs volumes); give a positive one",
             dimension);
    VALIDATE(neighbours.k >= 2,
             "cannot estimate the density of {} rows (its error needs two neighbours of each); "
             "give more rows",
             neighbours.rows.total);
    check_rows_differ(neighbours, comm);
}

double log_unit_ball(double dimension) {
    return dimension / 2 * std::log(std::numbers::pi) - std::lgamma((dimension + 2) / 2);
}

// Of the balls of the kstar-th neighbours.
Density constant_density(const Neighbours& neighbours, double dimension,
                         std::vector<std::int32_t> kstar) {
    Density density{.log_density = {}, .error = {}, .kstar = std::move(kstar)};
    const double log_total = std::log(static_cast<double>(neighbours.rows.total));
    for (std::int64_t i = 0; i < neighbours.rows.count; ++i) {
        const auto k = density.kstar[static_cast<std::size_t>(i)];
        const double radius = neighbours.distance_of(i)[static_cast<std::size_t>(k - 1)];
        density.log_density.push_back(std::log(static_cast<double>(k)) - log_unit_ball(dimension) -
                                      dimension * std::log(radius) - log_total);
        density.error.push_back(1 / std::sqrt(static_cast<double>(k)));
    }
    return density;
}

}  // namespace

Density pak_density(const Neighbours& neighbours, double dimension,
                    const comm::Communicator& comm) {
    check_there_is_a_density(neighbours, dimension, comm);
    Density density;
    density.kstar = KstarSearch(neighbours, dimension, comm).run();
    density.log_density.resize(density.kstar.size());
    kernels::kokkos::log_density(neighbours.distance, neighbours.k, dimension, density.kstar,
                                 density.log_density);
    const double log_total = std::log(static_cast<double>(neighbours.rows.total));
    for (auto& value : density.log_density) value -= log_total;
    for (const auto k : density.kstar)
        density.error.push_back(kernels::reference::log_density_error(k));
    return density;
}

Density kstar_nn_density(const Neighbours& neighbours, double dimension,
                         const comm::Communicator& comm) {
    check_there_is_a_density(neighbours, dimension, comm);
    return constant_density(neighbours, dimension, KstarSearch(neighbours, dimension, comm).run());
}

Density k_nn_density(const Neighbours& neighbours, double dimension, int k,
                     const comm::Communicator& comm) {
    check_there_is_a_density(neighbours, dimension, comm);
    VALIDATE(k >= 1 && k < neighbours.k,
             "--k-density is {} (the lists hold {} neighbours of each row, and one more than are "
             "used is needed to tell their border); give 1 to {}",
             k, neighbours.k, neighbours.k - 1);
    const auto rows = static_cast<std::size_t>(neighbours.rows.count);
    return constant_density(neighbours, dimension, std::vector<std::int32_t>(rows, k));
}

}  // namespace nanoatlas::cluster
