#include "cluster/cutoff_distance.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "base/random.hpp"
#include "kernels/kokkos/distances_from_few.hpp"

namespace nanoatlas::cluster {
namespace {

constexpr std::int64_t sampled = 1024;
constexpr std::size_t at_once = 16;  // rows of the sample whose distances are held
constexpr std::size_t bins = 1024;

class Quantile {
  public:
    Quantile(const store::Matrix<double>& matrix, std::uint64_t seed,
             const comm::Communicator& comm)
        : matrix_(matrix),
          comm_(comm),
          columns_(static_cast<std::size_t>(matrix.columns)),
          row_(draw_rows(seed)),
          values_(values_of_rows()) {}

    double at(double share) {
        // A row's distance from itself is counted, too, and comes first.
        const auto others =
            static_cast<double>(row_.size()) * static_cast<double>(matrix_.rows.total - 1);
        auto below = static_cast<std::int64_t>(share * others) + std::ssize(row_);
        double low = 0, high = largest();
        for (int round = 0; round < 2 && high > low; ++round) {
            const auto counts = count(low, high);
            const double width = (high - low) / bins;
            std::size_t bin = 0;
            while (bin + 1 < bins && below >= counts[bin]) below -= counts[bin++];
            low += static_cast<double>(bin) * width;
            high = low + width;
        }
        return high;
    }

  private:
    std::vector<std::int64_t> draw_rows(std::uint64_t seed) const {
        const auto total = matrix_.rows.total;
        std::vector<std::int64_t> rows(static_cast<std::size_t>(std::min(total, sampled)));
        std::iota(rows.begin(), rows.end(), 0);
        if (total > sampled) {
            const auto order = base::permutation(total, base::Random(seed, 1));
            std::copy_n(order.begin(), rows.size(), rows.begin());
            std::sort(rows.begin(), rows.end());
        }
        return rows;
    }

    std::vector<double> values_of_rows() const {
        std::vector<double> own;
        for (const auto row : row_) {
            if (row < matrix_.rows.first || row >= matrix_.rows.end()) continue;
            const auto values = matrix_.row(row - matrix_.rows.first);
            own.insert(own.end(), values.begin(), values.end());
        }
        return comm_.all_gather(own);
    }

    /// visit(distance) of this rank's rows from those of the sample.
    template <class Visit>
    void for_each_distance(const Visit& visit) const {
        const auto n = static_cast<std::size_t>(matrix_.rows.count);
        const std::vector<double> least(n, std::numeric_limits<double>::infinity());
        std::vector<double> squares;
        for (std::size_t first = 0; first < row_.size(); first += at_once) {
            const auto size = std::min(at_once, row_.size() - first);
            squares.resize(size * n);
            kernels::kokkos::least_squares_with(
                matrix_.values, std::span(values_).subspan(first * columns_, size * columns_),
                columns_, least, squares);
            for (const double square : squares) visit(std::sqrt(square));
        }
    }

    double largest() const {
        double most = 0;
        for_each_distance([&](double distance) { most = std::max(most, distance); });
        return comm_.max(most);
    }

    /// Of the distances in each part of [low, high].
    std::vector<std::int64_t> count(double low, double high) const {
        std::vector<std::int64_t> counts(bins);
        const double scale = static_cast<double>(bins) / (high - low);
        for_each_distance([&](double distance) {
            if (distance < low || distance > high) return;
            ++counts[std::min(bins - 1, static_cast<std::size_t>((distance - low) * scale))];
        });
        comm_.sum(std::span(counts));
        return counts;
    }

    const store::Matrix<double>& matrix_;
    const comm::Communicator& comm_;
    std::size_t columns_;
    std::vector<std::int64_t> row_;  // of the sample, ascending
    std::vector<double> values_;     // [sample, columns]
};

}  // namespace

double cutoff_distance(const store::Matrix<double>& matrix, double share, std::uint64_t seed,
                       const comm::Communicator& comm) {
    return Quantile(matrix, seed, comm).at(share);
}

}  // namespace nanoatlas::cluster
