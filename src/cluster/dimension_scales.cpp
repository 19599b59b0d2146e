// The dimension at growing scales: by farther neighbours, and by fewer rows.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/check.hpp"
#include "base/random.hpp"
#include "cluster/dimension.hpp"
#include "cluster/subsample.hpp"

namespace nanoatlas::cluster {
namespace {

// The ratios of the distances to the neighbours of rank 2n and n, of all rows in their order.
std::vector<double> ratios_of(const Neighbours& neighbours, int n, const comm::Communicator& comm) {
    constexpr double least = 1 + 10 * std::numeric_limits<double>::epsilon();
    std::vector<double> own;
    for (std::int64_t i = 0; i < neighbours.rows.count; ++i) {
        const auto distance = neighbours.distance_of(i);
        own.push_back(std::max(least, distance[static_cast<std::size_t>(2 * n - 1)] /
                                          distance[static_cast<std::size_t>(n - 1)]));
    }
    return comm.all_gather(own);
}

// As numpy's percentile.
double quantile(std::vector<double> values, double share) {
    std::sort(values.begin(), values.end());
    const double place = share * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const auto above = std::min(below + 1, values.size() - 1);
    return values[below] + (place - std::floor(place)) * (values[above] - values[below]);
}

// Likelihood of a dimension d, given ratios m of the distances of ranks 2n and n.
class Likelihood {
  public:
    Likelihood(const std::vector<double>& ratios, int n) : n_(n) {
        for (const double ratio : ratios) log_ratio_.push_back(std::log(ratio));
    }

    double maximum() const {
        double low = 1e-3, high = 1e3;
        while (high - low > 1e-12 * high) {
            const double middle = (low + high) / 2;
            (slope(middle) > 0 ? low : high) = middle;
        }
        return (low + high) / 2;
    }

    double fisher_information(double d) const {
        double sum = static_cast<double>(log_ratio_.size()) / (d * d);
        for (const double log_ratio : log_ratio_) {
            const double factor = log_ratio / -std::expm1(-d * log_ratio);
            sum += (n_ - 1) * factor * factor * std::exp(-d * log_ratio);
        }
        return sum;
    }

  private:
    // d log L / d d
    double slope(double d) const {
        double sum = 0;
        for (const double log_ratio : log_ratio_)
            sum += ((1 - n_) / -std::expm1(-d * log_ratio) + 2 * n_ - 1) * log_ratio;
        return static_cast<double>(log_ratio_.size() - 1) / d - sum;
    }

    std::vector<double> log_ratio_;
    int n_;
};

double mean(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// All rows in an order drawn by the seed.
std::vector<std::int64_t> shuffled(std::int64_t rows, std::uint64_t seed) {
    std::vector<std::pair<std::uint64_t, std::int64_t>> keyed;
    for (std::int64_t row = 0; row < rows; ++row)
        keyed.emplace_back(base::Random(seed, row)(), row);
    std::sort(keyed.begin(), keyed.end());
    std::vector<std::int64_t> order;
    order.reserve(keyed.size());
    for (const auto& [key, row] : keyed) order.push_back(row);
    return order;
}

// Rows order[part], order[part + parts], ... as a matrix of their own, ascending.
store::Matrix<double> part_of(const store::Matrix<double>& matrix,
                              const std::vector<std::int64_t>& order, std::int64_t part,
                              std::int64_t parts, const comm::Communicator& comm) {
    std::vector<std::int64_t> rows;
    for (auto i = part; i < static_cast<std::int64_t>(order.size()); i += parts)
        rows.push_back(order[static_cast<std::size_t>(i)]);
    std::sort(rows.begin(), rows.end());
    return take_rows(matrix, rows, comm);
}

}  // namespace

std::vector<DimensionEstimate> gride(const Neighbours& neighbours, const comm::Communicator& comm) {
    check_rows_differ(neighbours, comm);
    std::vector<DimensionEstimate> scales;
    for (int n = 1; 2 * n <= neighbours.k; n *= 2) {
        const auto ratios = ratios_of(neighbours, n, comm);
        const double middle = quantile(ratios, 0.5), high = quantile(ratios, 0.95);
        std::vector<double> trusted;
        for (const double ratio : ratios)
            if (ratio < 20 * (high - middle) + middle) trusted.push_back(ratio);
        VALIDATE(trusted.size() > 1,
                 "cannot estimate the intrinsic dimension at rank {} (all ratios of distances are "
                 "equal, as on a grid)",
                 2 * n);
        const double dimension = Likelihood(trusted, n).maximum();
        scales.push_back(
            {.dimension = dimension,
             .error = 1 / std::sqrt(Likelihood(ratios, n).fisher_information(dimension)),
             .scale = mean_distance(neighbours, 2 * n, comm),
             .rows = neighbours.rows.total,
             .rank = 2 * n});
    }
    return scales;
}

std::vector<DimensionEstimate> decimated_two_nn(const store::Matrix<double>& matrix,
                                                std::uint64_t seed,
                                                const comm::Communicator& comm) {
    constexpr std::int64_t least_rows = 32, most_parts = 16;
    const auto order = shuffled(matrix.rows.total, seed);
    std::vector<DimensionEstimate> scales;
    for (std::int64_t parts = 2; matrix.rows.total / parts >= least_rows; parts *= 2) {
        std::vector<double> dimension, scale;
        for (std::int64_t part = 0; part < std::min(parts, most_parts); ++part) {
            const auto fit = two_nn_fit(
                find_neighbours(part_of(matrix, order, part, parts, comm), 2, comm), comm);
            dimension.push_back(fit.dimension);
            scale.push_back(fit.scale);
        }
        double spread = 0;
        for (const double value : dimension)
            spread += (value - mean(dimension)) * (value - mean(dimension));
        const auto count = static_cast<double>(dimension.size());
        scales.push_back({.dimension = mean(dimension),
                          .error = std::sqrt(spread / (count - 1) / count),
                          .scale = mean(scale),
                          .rows = matrix.rows.total / parts,
                          .rank = 2});
    }
    return scales;
}

}  // namespace nanoatlas::cluster
