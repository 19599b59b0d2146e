// k-means++: first centres, each drawn with a chance that grows with its squared distance from
// those before. Chances are whole numbers, so that a draw does not depend on how rows are dealt.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.hpp"
#include "base/random.hpp"
#include "cluster/kmeans.hpp"
#include "kernels/kokkos/distances_from_few.hpp"

namespace nanoatlas::cluster {
namespace {

class Start {
  public:
    Start(const store::Matrix<double>& matrix, int clusters, const comm::Communicator& comm)
        : matrix_(matrix),
          comm_(comm),
          clusters_(static_cast<std::size_t>(clusters)),
          trials_(2 + static_cast<std::size_t>(std::log(clusters))),
          least_(static_cast<std::size_t>(matrix.rows.count),
                 std::numeric_limits<double>::infinity()),
          squares_(least_.size() * trials_) {}

    std::vector<double> draw(std::uint64_t seed, std::uint64_t restart) {
        base::Random first(seed, restart, 0);
        take({static_cast<std::int64_t>(
            first.below(static_cast<std::uint64_t>(matrix_.rows.total)))});
        for (std::size_t k = 1; k < clusters_; ++k) {
            base::Random random(seed, restart, k);
            const auto sums = running_sums(k);
            const auto total = comm_.sum(sums.empty() ? 0 : sums.back());
            std::vector<std::int64_t> drawn;
            for (std::size_t t = 0; t < trials_; ++t)
                drawn.push_back(
                    static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(total))));
            take(rows_at(drawn, sums));
        }
        return std::move(centres_);
    }

  private:
    std::int64_t weight(double square) const {
        return static_cast<std::int64_t>(square / largest_ * unit_);
    }

    // Of the weights of this rank's rows, k centres being there.
    std::vector<std::int64_t> running_sums(std::size_t k) {
        largest_ = 0;
        for (const auto square : least_) largest_ = std::max(largest_, square);
        largest_ = comm_.max(largest_);
        VALIDATE(largest_ > 0,
                 "only {} of {} rows differ (each of {} clusters needs one of its own); ask for {} "
                 "or fewer",
                 k, matrix_.rows.total, clusters_, k);
        int exponent = 0;
        std::frexp(static_cast<double>(matrix_.rows.total), &exponent);
        unit_ = std::ldexp(1.0, std::min(52, 62 - exponent));
        std::vector<std::int64_t> sums;
        for (const auto square : least_)
            sums.push_back((sums.empty() ? 0 : sums.back()) + weight(square));
        return sums;
    }

    // The rows whose weights hold the drawn places in the sum over all rows.
    std::vector<std::int64_t> rows_at(const std::vector<std::int64_t>& drawn,
                                      const std::vector<std::int64_t>& sums) const {
        const auto before = comm_.exclusive_sum(sums.empty() ? 0 : sums.back());
        std::vector<std::int64_t> rows;
        for (const auto place : drawn) {
            const auto found = std::upper_bound(sums.begin(), sums.end(), place - before);
            const bool here = place >= before && found != sums.end();
            rows.push_back(here ? matrix_.rows.first + (found - sums.begin()) : -1);
        }
        comm_.max(std::span(rows));
        return rows;
    }

    // Makes that row a centre that brings all rows nearest to one.
    void take(const std::vector<std::int64_t>& rows) {
        const auto columns = static_cast<std::size_t>(matrix_.columns);
        const auto candidates = values_of(rows);
        const auto squares = std::span(squares_).first(rows.size() * least_.size());
        kernels::kokkos::least_squares_with(matrix_.values, candidates, columns, least_, squares);
        const auto best = rows.size() == 1 ? 0 : best_trial(squares);
        centres_.insert(centres_.end(), &candidates[best * columns],
                        &candidates[best * columns] + columns);
        std::copy_n(&squares[best * least_.size()], least_.size(), least_.begin());
    }

    std::vector<double> values_of(const std::vector<std::int64_t>& rows) const {
        const auto columns = static_cast<std::size_t>(matrix_.columns);
        std::vector<double> values(rows.size() * columns);
        for (std::size_t t = 0; t < rows.size(); ++t) {
            if (rows[t] < matrix_.rows.first || rows[t] >= matrix_.rows.end()) continue;
            const auto row = matrix_.row(rows[t] - matrix_.rows.first);
            std::copy(row.begin(), row.end(), &values[t * columns]);
        }
        comm_.sum(std::span(values));  // of one value and zeros
        return values;
    }

    std::size_t best_trial(std::span<const double> squares) const {
        std::vector<std::int64_t> sums(trials_);
        for (std::size_t t = 0; t < trials_; ++t)
            for (const auto square : squares.subspan(t * least_.size(), least_.size()))
                sums[t] += weight(square);
        comm_.sum(std::span(sums));
        return static_cast<std::size_t>(std::min_element(sums.begin(), sums.end()) - sums.begin());
    }

    const store::Matrix<double>& matrix_;
    const comm::Communicator& comm_;
    std::size_t clusters_, trials_;
    std::vector<double> least_;    // [n] squared distance from the nearest centre
    std::vector<double> squares_;  // [trials, n]
    std::vector<double> centres_;
    double largest_ = 0, unit_ = 1;  // largest of least_, and the weight of that
};

}  // namespace

std::vector<double> kmeans_start(const store::Matrix<double>& matrix, int clusters,
                                 std::uint64_t seed, std::uint64_t restart,
                                 const comm::Communicator& comm) {
    return Start(matrix, clusters, comm).draw(seed, restart);
}

}  // namespace nanoatlas::cluster
