// Centres, their rows and sums on two threads, and densities by a cutoff, against plain arithmetic.
#include "kernels/kokkos/nearest_centres.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.hpp"
#include "kernels/kokkos/cutoff_peaks.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/shrunk.hpp"

namespace nanoatlas::kernels::kokkos {
namespace {

struct Problem {
    std::size_t rows, columns, clusters;
    std::vector<double> values, centres;
    Frame frame;

    Problem(std::size_t rows_, std::size_t columns_, std::size_t clusters_, std::uint64_t seed)
        : rows(rows_), columns(columns_), clusters(clusters_) {
        base::Random random(31, seed);
        for (std::size_t i = 0; i < rows * columns; ++i) values.push_back(random.normal());
        for (std::size_t i = 0; i < clusters * columns; ++i) centres.push_back(random.normal());
        frame = {std::vector<double>(columns, 0.25), 0};
        for (const double value : values)
            frame.largest = std::max(frame.largest, std::abs(value - 0.25));
    }
    double square(std::size_t i, std::size_t k) const {
        double sum = 0;
        for (std::size_t c = 0; c < columns; ++c)
            sum += std::pow(values[i * columns + c] - centres[k * columns + c], 2);
        return sum;
    }
    std::vector<std::int32_t> nearest() const {
        std::vector<std::int32_t> labels;
        for (std::size_t i = 0; i < rows; ++i) {
            std::size_t best = 0;
            for (std::size_t k = 1; k < clusters; ++k)
                if (square(i, k) < square(i, best)) best = k;
            labels.push_back(static_cast<std::int32_t>(best));
        }
        return labels;
    }
};

void expect_sums(const Problem& problem, const NearestCentres& search,
                 const std::vector<std::int64_t>& sums, const std::vector<std::int64_t>& counts) {
    const auto labels = search.labels();
    std::vector<std::int64_t> expected(sums.size()), sizes(counts.size());
    for (std::size_t i = 0; i < problem.rows; ++i) {
        const auto k = static_cast<std::size_t>(labels[i]);
        ++sizes[k];
        for (std::size_t c = 0; c < problem.columns; ++c)
            expected[k * problem.columns + c] += static_cast<std::int64_t>(std::nearbyint(
                (problem.values[i * problem.columns + c] - 0.25) * search.fixed_point().scale));
    }
    EXPECT_EQ(sums, expected);
    EXPECT_EQ(counts, sizes);
}

TEST(NearestCentres, follow_centres_that_move_and_keep_exact_sums) {
    for (std::uint64_t trial = 0; trial < 12; ++trial) {
        base::Random random(32, trial);
        Problem problem(1 + random.below(testing::shrunk(1500)),
                        1 + random.below(trial % 5 == 0 ? 300 : 20), 1 + random.below(60), trial);
        SCOPED_TRACE(fmt::format("{} x {}, k {}", problem.rows, problem.columns, problem.clusters));
        NearestCentres search(problem.values, problem.frame, problem.clusters,
                              static_cast<std::int64_t>(problem.rows));
        std::vector<std::int64_t> sums(problem.clusters * problem.columns),
            counts(problem.clusters);
        std::vector<std::int32_t> before(problem.rows, -1);
        for (const double step : {0.0, 1.0, 0.1, 0.01, 0.0}) {
            for (auto& value : problem.centres) value += step * random.normal();
            const auto changed = search.assign(problem.centres);
            const auto labels = search.labels();
            ASSERT_EQ(labels, problem.nearest());
            std::int64_t differ = 0;
            for (std::size_t i = 0; i < labels.size(); ++i) differ += labels[i] != before[i];
            EXPECT_EQ(changed, differ);
            before = labels;
            search.add_changes(sums, counts);
            expect_sums(problem, search, sums, counts);
        }
        search.set_label(0, static_cast<std::int32_t>(problem.clusters - 1));
        search.add_changes(sums, counts);
        expect_sums(problem, search, sums, counts);
        EXPECT_LE(search.assign(problem.centres), 1);
        EXPECT_EQ(search.labels(), problem.nearest());
    }
}

TEST(FixedPoint, holds_the_sum_of_all_rows) {
    for (const std::int64_t rows : {1, 2047, 2048, 1 << 20}) {
        const FixedPoint fixed(3.7, rows);
        EXPECT_LE(3.7 * fixed.scale, 0x1p51);
        EXPECT_LT(3.7 * fixed.scale * static_cast<double>(rows), 0x1p62);
        EXPECT_GT(3.7 * fixed.scale * static_cast<double>(std::max<std::int64_t>(rows, 2048)),
                  0x1p59);
    }
}

TEST(CutoffDensity, is_that_of_the_exponential_function) {
    base::Random random(33);
    for (int trial = 0; trial < 2000; ++trial) {
        const double apart = random.uniform(0, trial % 10 == 0 ? 40 : 4);
        std::vector<double> density{0};
        add_density(std::vector<double>{0}, std::vector<double>{apart}, 1, 1,
                    DensityKernel::gaussian, 51, density);
        EXPECT_NEAR(density[0], std::exp(-apart * apart), 6e-16) << apart;
    }
}

}  // namespace
}  // namespace nanoatlas::kernels::kokkos
