// Variances of rows in f64, with large means, and of components far below the first.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "base/random.hpp"
#include "kernels/reference/pca.hpp"
#include "reduce/pca.hpp"
#include "tests/mpi_test.hpp"
#include "tests/temporary_folder.hpp"

namespace nanoatlas::reduce {
namespace {

using testing::world;

/// This rank's rows.
store::Matrix<double> block_of(const std::vector<double>& values, std::int64_t columns) {
    const auto rows = comm::row_block(std::ssize(values) / columns, world());
    return {
        .rows = rows,
        .columns = columns,
        .values = {values.begin() + rows.first * columns, values.begin() + rows.end() * columns}};
}

/// Rows of independent directions, deviations 1, ratio, ratio^2, ..., turned at random, about a
/// mean.
std::vector<double> graded_rows(std::int64_t rows, std::int64_t columns, double ratio,
                                double mean) {
    std::vector<double> turned;
    std::vector<double> axis(static_cast<std::size_t>(columns));  // of a reflection
    base::Random random(21);
    double square = 0;
    for (auto& value : axis) square += std::pow(value = random.normal(), 2);
    for (std::int64_t i = 0; i < rows; ++i) {
        std::vector<double> row;
        double product = 0;
        for (std::size_t j = 0; j < axis.size(); ++j) {
            row.push_back(std::pow(ratio, j) * random.normal());
            product += row[j] * axis[j];
        }
        for (std::size_t j = 0; j < axis.size(); ++j)
            turned.push_back(mean + row[j] - 2 * product / square * axis[j]);
    }
    return turned;
}

/// Within that share of each variance, of rows in memory and in a file.
void check_variances(const std::vector<double>& values, std::int64_t columns,
                     const std::string& components, double tolerance) {
    const auto rows = std::ssize(values) / columns;
    const auto expected =
        kernels::reference::eigen(kernels::reference::scatter(values, rows, columns), columns);
    const double trace = std::accumulate(expected.values.begin(), expected.values.end(), 0.0);
    const auto matrix = block_of(values, columns);
    const auto pca = fit_pca(matrix, {.components = components}, world());
    for (std::size_t c = 0; c < pca.explained_variance.size(); ++c) {
        const double variance = expected.values[c] / static_cast<double>(rows - 1);
        EXPECT_NEAR(pca.explained_variance[c], variance, tolerance * variance) << c;
        EXPECT_NEAR(pca.explained_variance_ratio[c], expected.values[c] / trace,
                    tolerance * expected.values[c] / trace);
    }
    const testing::TemporaryFolder folder;
    const auto path = folder / "rows.npy";
    store::write_plain_table(path, matrix, world());
    const auto of_file = fit_and_project(store::MatrixFile(path, world()),
                                         {.components = components}, Whiten::off, world());
    EXPECT_EQ(of_file.pca.explained_variance, pca.explained_variance);
    EXPECT_EQ(of_file.pca.total_variance, pca.total_variance);
    EXPECT_EQ(of_file.embedding.values, project(matrix, pca, Whiten::off).values);
}

TEST(Pca, rows_in_f64_are_taken_as_they_are) {
    check_variances(graded_rows(700, 9, 0.8, 0), 9, "9", 1e-11);
    check_variances(graded_rows(700, 9, 0.8, 1e8), 9, "9", 1e-8);  // told from it to 1e-8
    check_variances(graded_rows(40, 30, 0.9, 1e4), 30, "20", 1e-9);
}

TEST(Pca, components_of_little_variance_beside_the_first_are_found) {
    check_variances(graded_rows(900, 12, 0.45, 0), 12, "12", 1e-8);  // the last: 2e-8 of the first
    check_variances(graded_rows(900, 12, 0.45, 0), 12, "0.9999999", 1e-8);
    auto values = graded_rows(900, 12, 0.45, 0);
    for (const double scale : {1e-25, 1e25}) {
        auto scaled = values;
        for (auto& value : scaled) value *= scale;
        check_variances(scaled, 12, "6", 1e-8);
    }
}

TEST(Pca, of_few_rows_in_f64_goes_by_their_products) {
    std::vector<double> wide(20 * 5000), narrow = graded_rows(20, 10, 0.5, 1e6);
    for (std::size_t i = 0; i < 20; ++i)
        std::copy_n(narrow.begin() + static_cast<std::ptrdiff_t>(i * 10), 10,
                    wide.begin() + static_cast<std::ptrdiff_t>(i * 5000));
    const auto of = [](const std::vector<double>& values, std::int64_t columns) {
        return fit_pca(block_of(values, columns), {.components = "9"}, world());
    };
    const auto pca = of(wide, 5000), expected = of(narrow, 10);
    for (std::size_t c = 0; c < 9; ++c)
        EXPECT_NEAR(pca.explained_variance[c], expected.explained_variance[c],
                    1e-9 * expected.explained_variance[c]);
}

}  // namespace
}  // namespace nanoatlas::reduce
