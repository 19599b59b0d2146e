// Density and the steps of density peaks against their plain versions, on lists that hold what
// real ones seldom do: equal radii, radii that hardly differ, high dimensions, extreme units.
#include "kernels/kokkos/density.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.hpp"
#include "kernels/reference/density.hpp"
#include "tests/kokkos_environment.hpp"

namespace nanoatlas::kernels {
namespace {

struct Lists {
    reference::NeighbourLists lists;
    int k = 0;
    std::size_t n = 0;
};

// Ascending radii and neighbours by lot; some radii equal the one before.
Lists draw_lists(base::Random& random, double unit) {
    Lists drawn;
    drawn.n = 5 + random.below(200);
    drawn.k = 1 + static_cast<int>(random.below(std::min<std::uint64_t>(drawn.n - 1, 120)));
    for (std::size_t i = 0; i < drawn.n; ++i) {
        double radius = unit * random.uniform(0.1, 1);
        for (int rank = 0; rank < drawn.k; ++rank) {
            drawn.lists.distance.push_back(radius);
            drawn.lists.index.push_back(
                static_cast<std::int64_t>((i + 1 + random.below(drawn.n - 1)) % drawn.n));
            if (!random.chance(0.1)) radius *= 1 + 0.1 * random.uniform();
        }
    }
    return drawn;
}

std::vector<std::int32_t> fast_kstar(const Lists& drawn, double dimension, int round) {
    const auto k = static_cast<std::size_t>(drawn.k);
    std::vector<std::int32_t> kstar(drawn.n, std::min(3, drawn.k));
    std::vector<std::uint8_t> open(drawn.n, 1);
    const auto limits = kokkos::kstar_ratio_limits(dimension, drawn.k);
    for (int rank = 3; rank < drawn.k - 1; rank += round) {
        const int width = std::min(round, drawn.k - 1 - rank);
        std::vector<double> partner;
        for (std::size_t i = 0; i < drawn.n; ++i)
            for (int column = 0; column < width; ++column) {
                const auto r = static_cast<std::size_t>(rank + column);
                const auto other = static_cast<std::size_t>(drawn.lists.index[i * k + r]);
                partner.push_back(drawn.lists.distance[other * k + r - 1]);
            }
        kokkos::extend_kstar(drawn.lists.distance, drawn.k, limits, partner, rank, width, kstar,
                             open);
    }
    return kstar;
}

TEST(DensityKernels, agree_with_reference_on_random_lists) {
    for (std::uint64_t trial = 0; trial < 30; ++trial) {
        base::Random random(71, trial);
        const double dimension = random.chance(0.2) ? 60 : random.uniform(0.5, 20);
        // The plain version works on volumes themselves, which must not leave the range of f64.
        const double unit = std::pow(10, random.uniform(-100, 100) / (20 + dimension));
        const auto drawn = draw_lists(random, unit);
        SCOPED_TRACE(
            fmt::format("n {}, k {}, dimension {}, unit {}", drawn.n, drawn.k, dimension, unit));
        const auto k = static_cast<std::size_t>(drawn.k);
        const auto expected_kstar = reference::kstar(drawn.lists, k, dimension);
        ASSERT_EQ(fast_kstar(drawn, dimension, 1 + static_cast<int>(random.below(20))),
                  expected_kstar);
        // Any k* will do for the density, so that long shells are tried, too.
        std::vector<std::int32_t> kstar;
        for (std::size_t i = 0; i < drawn.n; ++i)
            kstar.push_back(1 + static_cast<std::int32_t>(random.below(k)));
        const auto expected = reference::log_density(drawn.lists, k, dimension, kstar);
        std::vector<double> found(drawn.n);
        kokkos::log_density(drawn.lists.distance, drawn.k, dimension, kstar, found);
        const double log_n = std::log(static_cast<double>(drawn.n));
        for (std::size_t i = 0; i < drawn.n; ++i)
            EXPECT_NEAR(found[i] - log_n, expected[i], 1e-6) << i << " k* " << kstar[i];
    }
}

TEST(DensityKernels, limits_fall_to_one_and_never_below) {
    const auto limits = kokkos::kstar_ratio_limits(5, 1000);
    for (std::size_t rank = 2; rank < limits.size(); ++rank) {
        EXPECT_LT(limits[rank], limits[rank - 1]);
        EXPECT_GT(limits[rank], 1);
    }
}

// n points drawn uniformly from a ball have their r-th neighbour of the middle at radius
// (r / n)^(1/d): the density is known.
TEST(DensityKernels, know_a_uniform_density) {
    constexpr int k = 50;
    constexpr double dimension = 3, n = 1000;
    std::vector<double> distance;
    for (int rank = 1; rank <= k; ++rank) distance.push_back(std::pow(rank / n, 1 / dimension));
    std::vector<double> found(1);
    kokkos::log_density(distance, k, dimension, std::vector<std::int32_t>{k}, found);
    EXPECT_NEAR(found[0], std::log(n / (4 * 3.14159265358979 / 3)), 1e-9);
}

}  // namespace
}  // namespace nanoatlas::kernels
