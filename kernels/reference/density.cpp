#include "kernels/reference/density.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace nanoatlas::kernels::reference {
namespace {

double log_unit_ball(double dimension) {
    return dimension / 2 * std::log(std::numbers::pi) - std::lgamma((dimension + 2) / 2);
}

// Twice the log-likelihood ratio of two densities against one, from the volumes that hold rank
// neighbours of either point.
double likelihood_ratio(double log_volume_a, double log_volume_b, double rank) {
    const double high = std::max(log_volume_a, log_volume_b);
    const double log_sum =
        high + std::log(std::exp(log_volume_a - high) + std::exp(log_volume_b - high));
    return -2 * rank * (log_volume_a + log_volume_b - 2 * log_sum + std::log(4.0));
}

// Newton's method, damped to a tenth of its step, on the likelihood of shell volumes under
// log density = b + a * rank. It stops where DADApy's does, short of the maximum, since whoever
// compares with DADApy compares with that.
// `start`, the k-NN density, stands where no gradient can be told.
double maximise(double start, std::span<const double> volumes) {
    const auto k = static_cast<double>(volumes.size());
    const double largest_step = 0.1 * std::abs(start);
    double b = start, a = 0;
    for (int iteration = 0;; ++iteration) {
        double gradient_b = k, gradient_a = k * (k + 1) / 2, bb = 0, ab = 0, aa = 0;
        for (std::size_t j = 0; j < volumes.size(); ++j) {
            const double rank = static_cast<double>(j) + 1;
            const double expected = volumes[j] * std::exp(b + a * rank);
            gradient_b -= expected;
            gradient_a -= rank * expected;
            bb -= expected;
            ab -= rank * expected;
            aa -= rank * rank * expected;
        }
        constexpr double epsilon = std::numeric_limits<double>::epsilon();
        const bool near_zero = std::abs(a) <= epsilon || std::abs(b) <= epsilon;
        const double distance = near_zero
                                    ? std::max(std::abs(gradient_b), std::abs(gradient_a))
                                    : std::max(std::abs(gradient_b / b), std::abs(gradient_a / a));
        if (iteration > 0 && distance <= 1e-3) return b;
        const double determinant = bb * aa - ab * ab;
        if (iteration == 10000) return b;
        if (!(determinant >= epsilon && std::isfinite(determinant))) return start;
        const double step_b = (aa * gradient_b - ab * gradient_a) / determinant;
        const double step_a = (bb * gradient_a - ab * gradient_b) / determinant;
        const double rate =
            std::abs(0.1 * step_b) > largest_step ? std::abs(largest_step / step_b) : 0.1;
        b -= rate * step_b;
        a -= rate * step_a;
    }
}

}  // namespace

std::vector<std::int32_t> kstar(const NeighbourLists& lists, std::size_t k, double dimension) {
    const std::size_t n = lists.index.size() / k;
    std::vector<std::int32_t> chosen(n);
    for (std::size_t i = 0; i < n; ++i) {
        std::size_t rank = std::min<std::size_t>(3, k);
        for (; rank + 1 < k; ++rank) {
            const auto next = static_cast<std::size_t>(lists.index[i * k + rank]);
            const double own = dimension * std::log(lists.distance[i * k + rank - 1]);
            const double other = dimension * std::log(lists.distance[next * k + rank - 1]);
            if (likelihood_ratio(own, other, static_cast<double>(rank)) > kstar_threshold) break;
        }
        chosen[i] = static_cast<std::int32_t>(rank);
    }
    return chosen;
}

std::vector<double> log_density(const NeighbourLists& lists, std::size_t k, double dimension,
                                std::span<const std::int32_t> kstar) {
    const std::size_t n = kstar.size();
    std::vector<double> result(n);
    for (std::size_t i = 0; i < n; ++i) {
        const auto used = static_cast<std::size_t>(kstar[i]);
        const double* radius = &lists.distance[i * k];
        const double start = std::log(static_cast<double>(used)) - log_unit_ball(dimension) -
                             dimension * std::log(radius[used - 1]);
        std::vector<double> volumes(used);
        for (std::size_t j = 0; j < used; ++j) {
            const double ratio = j == 0 ? 0 : radius[j - 1] / radius[j];
            // Of two equal radii, the inner is taken to be smaller by 1e-14 of itself.
            const double share = std::abs(ratio - 1) < 1e-15
                                     ? -std::expm1(dimension * std::log1p(-1e-14))
                                     : 1 - std::pow(ratio, dimension);
            volumes[j] = std::exp(log_unit_ball(dimension) + dimension * std::log(radius[j]) +
                                  std::log(share));
        }
        const bool vanishing =
            std::any_of(volumes.begin(), volumes.end(), [](double v) { return v < 1e-300; });
        result[i] =
            (vanishing ? start : maximise(start, volumes)) - std::log(static_cast<double>(n));
    }
    return result;
}

double log_density_error(std::int32_t kstar) {
    const double k = kstar;
    return std::sqrt((4 * k + 2) / (k * (k - 1)));
}

}  // namespace nanoatlas::kernels::reference
