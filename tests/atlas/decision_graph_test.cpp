#include "atlas/decision_graph.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/random.hpp"
#include "tests/mpi_test.hpp"

namespace nanoatlas::atlas {
namespace {

std::vector<float> plain_separations(const std::vector<float>& points, std::size_t columns,
                                     const std::vector<double>& density) {
    std::vector<float> result;
    for (std::size_t i = 0; i < density.size(); ++i) {
        double nearest = std::numeric_limits<double>::infinity(), farthest = 0;
        for (std::size_t j = 0; j < density.size(); ++j) {
            double squared = 0;
            for (std::size_t c = 0; c < columns; ++c)
                squared += std::pow(static_cast<double>(points[i * columns + c]) -
                                        static_cast<double>(points[j * columns + c]),
                                    2);
            farthest = std::max(farthest, squared);
            if (density[j] > density[i] || (density[j] == density[i] && j < i))
                nearest = std::min(nearest, squared);
        }
        result.push_back(static_cast<float>(std::sqrt(std::isinf(nearest) ? farthest : nearest)));
    }
    return result;
}

TEST(Separations, agree_with_all_pairs_on_random_shapes) {
    for (std::uint64_t draw = 0; draw < 40; ++draw) {
        base::Random random(3, draw);
        const auto rows = 1 + random.below(120);
        const auto columns = 1 + random.below(6);
        std::vector<float> points;
        std::vector<double> density;
        // Coarse values: many equal coordinates and densities.
        for (std::uint64_t i = 0; i < rows * columns; ++i)
            points.push_back(static_cast<float>(random.below(draw % 2 == 0 ? 9 : 1000)));
        for (std::uint64_t i = 0; i < rows; ++i)
            density.push_back(static_cast<double>(random.below(draw % 3 == 0 ? 5 : 100000)));
        EXPECT_EQ(
            separations(points, static_cast<std::int64_t>(columns), density, testing::world()),
            plain_separations(points, columns, density))
            << "draw " << draw;
    }
}

TEST(Separations, of_nothing_are_nothing) {
    EXPECT_TRUE(separations({}, 3, {}, testing::world()).empty());
}

}  // namespace
}  // namespace nanoatlas::atlas
