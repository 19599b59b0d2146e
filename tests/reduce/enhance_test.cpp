// Steps of feature enhancement against the same in plain f64 on the whole matrix.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.hpp"
#include "base/random.hpp"
#include "kernels/reference/neighbours.hpp"
#include "kernels/reference/pca.hpp"
#include "reduce/enhance/chain.hpp"
#include "reduce/enhance/shrinkage.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/mpi_test.hpp"

namespace nanoatlas::reduce {
namespace {

using Dense = std::vector<std::vector<double>>;
using testing::world;
constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

/// Correlated columns, some rows twice.
Dense random_rows(std::size_t rows, std::size_t columns, double offset, int seed) {
    Dense dense(rows, std::vector<double>(columns));
    for (std::size_t i = 0; i < rows; ++i) {
        base::Random random(21, seed, static_cast<std::int64_t>(i % 7 == 6 ? i - 1 : i));
        const double common = random.normal();
        for (std::size_t j = 0; j < columns; ++j)
            dense[i][j] = static_cast<float>(offset + common / static_cast<double>(1 + j) +
                                             0.3 * random.normal());
    }
    return dense;
}

FeatureMatrix block_of(const Dense& dense, const comm::Communicator& comm) {
    FeatureMatrix matrix{.rows = comm::row_block(std::ssize(dense), comm),
                         .columns = std::ssize(dense[0]),
                         .values = {}};
    for (auto i = matrix.rows.first; i < matrix.rows.end(); ++i) {
        const auto& row = dense[static_cast<std::size_t>(i)];
        matrix.values.insert(matrix.values.end(), row.begin(), row.end());
    }
    return matrix;
}

Dense whole(const FeatureMatrix& matrix, const comm::Communicator& comm) {
    const auto values = comm.all_gather(matrix.values);
    Dense dense;
    const auto columns = matrix.columns;
    for (auto at = values.begin(); at != values.end(); at += columns)
        dense.emplace_back(at, at + columns);
    return dense;
}

kernels::reference::NeighbourLists lists_of(const Dense& dense, std::int64_t k) {
    std::vector<double> flat;
    for (const auto& row : dense) flat.insert(flat.end(), row.begin(), row.end());
    return kernels::reference::nearest_neighbours(flat, dense[0].size(),
                                                  static_cast<std::size_t>(k));
}

Surroundings surroundings(const comm::Communicator& comm, std::vector<double> sizes = {}) {
    return {.comm = comm,
            .find_nearest =
                [&comm](const FeatureMatrix& matrix, std::int64_t k) {
                    VALIDATE(k < matrix.rows.total, "too few rows");
                    const auto lists = lists_of(whole(matrix, comm), k);
                    const auto first = matrix.rows.first * k, end = matrix.rows.end() * k;
                    return NearestRows{
                        .k = k,
                        .index = {lists.index.begin() + first, lists.index.begin() + end},
                        .distance = {lists.distance.begin() + first, lists.distance.begin() + end}};
                },
            .pixel_size = std::move(sizes)};
}

Dense enhanced(const Dense& dense, const std::string& chain,
               const comm::Communicator& comm = world(), std::vector<double> sizes = {}) {
    auto matrix = block_of(dense, comm);
    EnhancementChain(chain).apply(matrix, surroundings(comm, std::move(sizes)));
    return whole(matrix, comm);
}

std::vector<double> means_of(const Dense& dense) {
    std::vector<double> mean(dense[0].size());
    for (const auto& row : dense)
        for (std::size_t j = 0; j < row.size(); ++j)
            mean[j] += row[j] / static_cast<double>(dense.size());
    return mean;
}

template <class Function>
Dense each_value(Dense dense, const Function& function) {
    for (auto& row : dense)
        for (std::size_t j = 0; j < row.size(); ++j) row[j] = function(row, j);
    return dense;
}

void expect_near(const Dense& found, const Dense& expected, double tolerance) {
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        ASSERT_EQ(found[i].size(), expected[i].size());
        for (std::size_t j = 0; j < found[i].size(); ++j)
            ASSERT_NEAR(found[i][j], expected[i][j], tolerance) << "row " << i << ", column " << j;
    }
}

const std::vector<std::pair<std::size_t, std::size_t>> shapes{{2, 1}, {3, 5}, {30, 7}, {1100, 12}};

TEST(Enhance, power_center_and_unit_length_are_what_they_say) {
    for (const auto& [rows, columns] : shapes) {
        const auto dense = random_rows(rows, columns, 0.2, 1);
        const auto roots = each_value(dense, [](const auto& row, std::size_t j) {
            return std::copysign(std::pow(std::abs(row[j]), 0.3), row[j]);
        });
        expect_near(enhanced(dense, "power:0.3"), roots, 1e-6);
        const auto mean = means_of(roots);
        const auto centred =
            each_value(roots, [&](const auto& row, std::size_t j) { return row[j] - mean[j]; });
        expect_near(enhanced(dense, "power:0.3,center"), centred, 1e-6);
        Dense unit = dense;
        for (auto& row : unit) {
            double square = 0;
            for (const double x : row) square += x * x;
            for (auto& x : row) x /= std::sqrt(square);
        }
        expect_near(enhanced(dense, "l2"), unit, 1e-6);
    }
}

TEST(Enhance, standardised_columns_have_mean_0_and_variance_1) {
    auto dense = random_rows(60, 5, 1000, 2);
    for (auto& row : dense) row[3] = 7;
    const auto found = enhanced(dense, "standardise");
    for (std::size_t j = 0; j < 5; ++j) {
        double sum = 0, square = 0;
        for (const auto& row : found) sum += row[j], square += row[j] * row[j];
        EXPECT_NEAR(sum / 60, 0, 1e-6);
        EXPECT_NEAR(square / 60, j == 3 ? 0 : 1, 1e-5);
    }
}

TEST(Enhance, on_is_power_center_l2_and_off_is_nothing) {
    const auto dense = random_rows(20, 4, 0, 3);
    EXPECT_EQ(enhanced(dense, "on"), enhanced(dense, "power:0.5, center, l2"));
    EXPECT_EQ(enhanced(dense, "off"), dense);
    EXPECT_TRUE(EnhancementChain("").is_empty());
}

/// Ledoit and Wolf's share, from all matrices x x^T - S written out.
double plain_shrinkage(const Dense& dense) {
    const auto rows = static_cast<double>(dense.size());
    const auto columns = dense[0].size();
    const auto mean = means_of(dense);
    Dense covariance(columns, std::vector<double>(columns));
    const auto product = [&](const std::vector<double>& row, std::size_t a, std::size_t b) {
        return (row[a] - mean[a]) * (row[b] - mean[b]);
    };
    for (const auto& row : dense)
        for (std::size_t a = 0; a < columns; ++a)
            for (std::size_t b = 0; b < columns; ++b) covariance[a][b] += product(row, a, b) / rows;
    double trace = 0, distance = 0, spread = 0;
    for (std::size_t a = 0; a < columns; ++a)
        trace += covariance[a][a] / static_cast<double>(columns);
    for (std::size_t a = 0; a < columns; ++a)
        for (std::size_t b = 0; b < columns; ++b) {
            distance += std::pow(covariance[a][b] - (a == b ? trace : 0), 2);
            for (const auto& row : dense)
                spread += std::pow(product(row, a, b) - covariance[a][b], 2) / (rows * rows);
        }
    return std::min(spread, distance) / distance;
}

TEST(Enhance, shrinkage_is_that_of_ledoit_and_wolf) {
    for (const auto& [rows, columns] : shapes) {
        if (columns == 1) continue;  // nothing to shrink
        const auto dense = random_rows(rows, columns, 5, 4);
        const auto matrix = block_of(dense, world());
        const auto pca = fit_pca(matrix, {.components = "1", .squared_covariance = true}, world());
        EXPECT_NEAR(ledoit_wolf(matrix, pca, world()), plain_shrinkage(dense), 1e-5)
            << rows << " x " << columns;
    }
}

TEST(Enhance, whitened_columns_have_the_variance_that_shrinkage_leaves) {
    const auto dense = random_rows(200, 6, 3, 5);
    std::vector<float> flat;
    for (const auto& row : dense) flat.insert(flat.end(), row.begin(), row.end());
    auto eigen = kernels::reference::eigen(kernels::reference::scatter(flat, 200, 6), 6);
    double mean = 0;
    for (auto& value : eigen.values) mean += (value /= 199) / 6;
    for (const auto& [chain, share] : std::vector<std::pair<std::string, double>>{
             {"whiten:4:0", 0}, {"whiten:4:0.25", 0.25}, {"whiten:4", plain_shrinkage(dense)}}) {
        const auto found = enhanced(dense, chain);
        ASSERT_EQ(found[0].size(), 4U);
        for (std::size_t c = 0; c < 4; ++c) {
            double square = 0;
            for (const auto& row : found) square += row[c] * row[c] / 199;
            const double expected =
                eigen.values[c] / ((1 - share) * eigen.values[c] + share * mean);
            EXPECT_NEAR(square, expected, 1e-4 * expected) << chain << ", component " << c;
        }
    }
    EXPECT_EQ(enhanced(random_rows(4, 9, 0, 6), "whiten:256")[0].size(), 3U);  // rows - 1
}

/// One round of diffusion on a dense matrix of weights.
Dense plain_diffusion(const Dense& dense, std::int64_t k, double alpha, std::size_t rounds) {
    const auto n = dense.size();
    const auto lists = lists_of(dense, k);
    Dense weight(n, std::vector<double>(n));
    const auto distance_of = [&](std::size_t i, std::int64_t place) {
        return lists.distance[i * static_cast<std::size_t>(k) + static_cast<std::size_t>(place)];
    };
    const auto scale = [&](std::size_t i) {
        return distance_of(i, std::min<std::int64_t>(k, 7) - 1);
    };
    for (std::size_t i = 0; i < n; ++i)
        for (std::int64_t place = 0; place < k; ++place) {
            const auto j = static_cast<std::size_t>(
                lists.index[i * static_cast<std::size_t>(k) + static_cast<std::size_t>(place)]);
            const double d = distance_of(i, place), product = scale(i) * scale(j);
            weight[i][j] = weight[j][i] = d == 0 ? 1 : product > 0 ? std::exp(-d * d / product) : 0;
        }
    Dense now = dense;
    for (std::size_t round = 0; round < rounds; ++round) {
        Dense next = now;
        for (std::size_t i = 0; i < n; ++i) {
            double sum = 0;
            for (const double w : weight[i]) sum += w;
            for (std::size_t c = 0; c < now[i].size() && sum > 0; ++c) {
                double mean = 0;
                for (std::size_t j = 0; j < n; ++j) mean += weight[i][j] * now[j][c] / sum;
                next[i][c] = (1 - alpha) * now[i][c] + alpha * mean;
            }
        }
        now = next;
    }
    return now;
}

TEST(Enhance, diffusion_agrees_with_a_dense_matrix_of_weights) {
    const auto dense = random_rows(50, 4, 2, 7);
    expect_near(enhanced(dense, "diffuse:3:0.7"), plain_diffusion(dense, 3, 0.7, 1), 1e-5);
    expect_near(enhanced(dense, "diffuse:9:1:3"), plain_diffusion(dense, 9, 1, 3), 1e-5);
    expect_near(enhanced(dense, "diffuse:1"), plain_diffusion(dense, 1, 0.5, 1), 1e-5);
}

TEST(Enhance, scale_adds_the_pixel_size_as_a_column_of_the_variance_asked_for) {
    const auto dense = random_rows(12, 3, 1, 8);
    std::vector<double> sizes(12, 1e-9);
    for (std::size_t i = 6; i < 12; ++i) sizes[i] = 4e-9;
    sizes[3] = unknown;
    const auto found = enhanced(dense, "scale:0.5", world(), sizes);
    const auto mean = means_of(dense);
    double all = 0, own = 0;
    for (std::size_t i = 0; i < 12; ++i) {
        ASSERT_EQ(found[i].size(), 4U);
        for (std::size_t j = 0; j < 3; ++j) {
            EXPECT_EQ(found[i][j], dense[i][j]);
            all += std::pow(dense[i][j] - mean[j], 2);
        }
        own += std::pow(found[i][3], 2);
    }
    EXPECT_NEAR(own / all, 0.5, 1e-5);
    EXPECT_EQ(found[3][3], 0);
    EXPECT_LT(found[0][3], 0);
    EXPECT_EQ(found[7][3], found[11][3]);
}

TEST(Enhance, unscale_takes_out_what_goes_by_the_pixel_size) {
    auto dense = random_rows(40, 3, 1, 9);
    std::vector<double> sizes;
    for (std::size_t i = 0; i < 40; ++i) {
        sizes.push_back(i == 5 ? unknown : std::exp(static_cast<double>(i % 4)) * 1e-9);
        for (std::size_t j = 0; j < 3 && i != 5; ++j)
            dense[i][j] = static_cast<float>(dense[i][j] + 10.0 * static_cast<double>(i % 4));
    }
    const auto found = enhanced(dense, "unscale", world(), sizes);
    for (std::size_t j = 0; j < 3; ++j) {
        double slope = 0, mean = 0;
        for (std::size_t i = 0; i < 40; ++i)
            if (i != 5) mean += static_cast<double>(i % 4) / 39;
        for (std::size_t i = 0; i < 40; ++i)
            if (i != 5) slope += (static_cast<double>(i % 4) - mean) * found[i][j];
        EXPECT_NEAR(slope, 0, 1e-3);
        EXPECT_EQ(found[5][j], dense[5][j]);
    }
}

TEST(Enhance, pixel_sizes_that_do_not_differ_change_nothing) {
    const auto dense = random_rows(5, 3, 1, 10);
    for (const double size : {unknown, 1e-9})
        for (const char* step : {"scale", "unscale"})
            EXPECT_EQ(enhanced(dense, step, world(), std::vector<double>(5, size)), dense);
}

TEST(Enhance, the_same_bits_on_any_number_of_ranks) {
    const auto self = comm::Communicator::self();
    std::vector<double> sizes;
    for (int i = 0; i < 1100; ++i) sizes.push_back(i % 5 == 0 ? unknown : 1e-9 * (1 + i % 3));
    for (const std::size_t rows : {3U, 1100U}) {
        const auto dense = random_rows(rows, 12, 1, 11);
        sizes.resize(rows, 1e-9);
        for (const char* chain : {"power,center,l2,whiten:8", "standardise,diffuse:2:0.5:2",
                                  "scale,l2,diffuse:1", "unscale,whiten:2:0.5"})
            ASSERT_EQ(enhanced(dense, chain, world(), sizes), enhanced(dense, chain, self, sizes))
                << chain;
    }
}

std::string refusal(const std::string& chain, const Dense& dense = random_rows(6, 3, 0, 12)) {
    try {
        enhanced(dense, chain);
    } catch (const InputError& error) {
        return error.what();
    }
    return "";
}

TEST(Enhance, wrong_chains_are_refused_in_words) {
    EXPECT_NE(refusal("power,whitten:4").find("'whitten' is unknown; steps are: power"),
              std::string::npos);
    EXPECT_NE(refusal("power,").find("'' is unknown"), std::string::npos);
    EXPECT_NE(refusal("power:0").find("exponent '0' of enhancement step 'power:0' is not a number"),
              std::string::npos);
    EXPECT_NE(refusal("whiten:2.5").find("not a whole number"), std::string::npos);
    for (const char* chain : {"power:x", "power:nan", "whiten:0", "whiten:2:1.1", "diffuse:0",
                              "diffuse:3:-1", "diffuse:3:0.5:0", "scale:-1"})
        EXPECT_NE(refusal(chain).find("is not a number in"), std::string::npos) << chain;
    for (const char* chain : {"l2:1", "center:1", "whiten:2:0:1", "unscale:2"})
        EXPECT_NE(refusal(chain).find("parameter too many"), std::string::npos) << chain;
    EXPECT_NE(refusal("scale").find("--corpus"), std::string::npos);
    EXPECT_NE(refusal("diffuse:6"), "");  // of 6 rows
    EXPECT_NE(refusal("power:4", {{1e30, 1}, {2, 3}}).find("'power:4' leaves values beyond"),
              std::string::npos);
}

}  // namespace
}  // namespace nanoatlas::reduce
