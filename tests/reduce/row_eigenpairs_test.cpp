#include "reduce/row_eigenpairs.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <functional>
#include <span>

#include "base/random.hpp"
#include "reduce/pca.hpp"
#include "store/npy.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/mpi_test.hpp"
#include "tests/temporary_folder.hpp"

namespace nanoatlas::reduce {
namespace {

using Matrix = store::Matrix<float>;
using testing::world;

constexpr std::int64_t rows = 8300, columns = 400, k = 6;  // a block of 22 vectors

/// Row i as draw(i) has it, this rank's rows.
Matrix matrix_of(std::int64_t total, const comm::Communicator& comm,
                 const std::function<void(std::int64_t, std::span<float>)>& draw) {
    Matrix matrix{.rows = comm::row_block(total, comm), .columns = columns, .values = {}};
    matrix.values.resize(static_cast<std::size_t>(matrix.rows.count * columns));
    for (std::int64_t i = 0; i < matrix.rows.count; ++i) draw(matrix.rows.first + i, matrix.row(i));
    return matrix;
}

/// Ten axes of random normal values.
const std::vector<float>& axes() {
    static const auto axes = [] {
        std::vector<float> values(10 * columns);
        base::Random random(31);
        for (auto& value : values) value = static_cast<float>(random.normal());
        return values;
    }();
    return axes;
}

/// Adds the first axes with random scores, of deviations count * scale, ... 2 scale, scale.
void add_directions(std::span<float> row, base::Random& random, std::size_t count, double scale) {
    for (std::size_t a = 0; a < count; ++a) {
        const auto score =
            static_cast<float>(scale * static_cast<double>(count - a) * random.normal());
        for (std::size_t j = 0; j < columns; ++j) row[j] += score * axes()[a * columns + j];
    }
}

/// Ten directions and a little noise, far from the origin.
Matrix with_leading_directions(std::int64_t total, const comm::Communicator& comm) {
    return matrix_of(total, comm, [](std::int64_t i, std::span<float> row) {
        base::Random random(30, i);
        for (auto& value : row) value = static_cast<float>(100 + 0.05 * random.normal());
        add_directions(row, random, 10, 1);
    });
}

std::optional<EigenPairs> found_of(const Matrix& matrix, const comm::Communicator& comm,
                                   std::int64_t count = k) {
    const RowTiles tiles(matrix, comm);
    return leading_eigenpairs_of_rows(tiles, column_means(tiles, comm), count, comm).pairs;
}

TEST(RowEigenPairs, are_those_of_the_scatter_matrix) {
    const auto matrix = with_leading_directions(rows, world());
    const auto found = found_of(matrix, world());
    ASSERT_TRUE(found.has_value());
    const RowTiles tiles(matrix, world());
    const auto scatter = scatter_matrix<float>(tiles, column_means(tiles, world()), world());
    const auto expected = leading_eigenpairs(scatter.whole(), columns, k);
    ASSERT_EQ(found->values.size(), static_cast<std::size_t>(k));
    for (std::size_t c = 0; c < k; ++c) {
        EXPECT_NEAR(found->values[c], expected.values[c], 1e-6 * expected.values[c]);
        double product = 0, square = 0;
        for (std::size_t j = 0; j < columns; ++j) {
            product += found->vectors[c * columns + j] * expected.vectors[c * columns + j];
            square += std::pow(found->vectors[c * columns + j], 2);
        }
        EXPECT_NEAR(square, 1, 1e-12);
        EXPECT_NEAR(std::abs(product), 1, 1e-9) << "vector " << c;
    }
}

TEST(RowEigenPairs, are_the_same_to_the_bit_on_any_number_of_ranks_and_threads) {
    const auto together = found_of(with_leading_directions(rows, world()), world());
    const auto self = comm::Communicator::self();
    const auto whole = with_leading_directions(rows, self);
    const int threads = omp_get_max_threads();
    for (const int count : {1, 2, 3}) {
        omp_set_num_threads(count);
        const auto alone = found_of(whole, self);
        EXPECT_EQ(together->values, alone->values);
        EXPECT_EQ(together->vectors, alone->vectors);
    }
    omp_set_num_threads(threads);
}

TEST(RowEigenPairs, are_left_to_the_scatter_matrix_where_that_is_surer_or_cheaper) {
    const auto few = with_leading_directions(2000, world());
    EXPECT_FALSE(found_of(few, world()).has_value()) << "the matrix is cheap";
    EXPECT_FALSE(found_of(with_leading_directions(rows, world()), world(), 40).has_value())
        << "the block is large";
    const auto flat = matrix_of(rows, world(), [](std::int64_t i, std::span<float> row) {
        base::Random random(32, i);
        for (auto& value : row) value = static_cast<float>(random.normal());
    });
    EXPECT_FALSE(found_of(flat, world()).has_value()) << "no vector stands out";
    const auto low_rank = matrix_of(rows, world(), [](std::int64_t i, std::span<float> row) {
        base::Random random(33, i);
        std::ranges::fill(row, 0.0f);
        add_directions(row, random, 3, 1);
    });
    EXPECT_FALSE(found_of(low_rank, world()).has_value()) << "some vectors are arbitrary";
}

TEST(RowEigenPairs, are_given_up_where_the_sample_misleads) {
    // Every 8th row, which is what the sample takes, has ten directions; the noise of the others
    // hides the last.
    const auto matrix = matrix_of(rows, world(), [](std::int64_t i, std::span<float> row) {
        base::Random random(34, i);
        const double noise = i % 8 == 0 ? 0.05 : 5;
        for (auto& value : row) value = static_cast<float>(noise * random.normal());
        if (i % 8 == 0) add_directions(row, random, 10, 0.1);
    });
    EXPECT_FALSE(found_of(matrix, world()).has_value());
    const auto pca = fit_pca(matrix, {.components = std::to_string(k)}, world());
    EXPECT_EQ(pca.count(), k);
}

TEST(RowEigenPairs, make_the_same_embedding_as_the_covariance_in_memory_and_in_a_file) {
    const auto matrix = with_leading_directions(rows, world());
    const PcaOptions options{.components = std::to_string(k)},
        by_covariance{.components = std::to_string(k), .squared_covariance = true};
    const auto direct = fit_and_project(matrix, options, Whiten::off, world());
    const auto expected = fit_and_project(matrix, by_covariance, Whiten::off, world());
    EXPECT_FALSE(direct.pca.squared_covariance.has_value());
    for (std::size_t c = 0; c < k; ++c) {
        const double variance = expected.pca.explained_variance[c];
        EXPECT_NEAR(direct.pca.explained_variance[c], variance, 1e-9 * variance);
        EXPECT_NEAR(direct.pca.explained_variance_ratio[c],
                    expected.pca.explained_variance_ratio[c], 1e-6);
    }
    for (std::size_t i = 0; i < direct.embedding.values.size(); ++i)
        ASSERT_NEAR(direct.embedding.values[i], expected.embedding.values[i], 1e-3);

    const testing::TemporaryFolder folder;
    store::write_plain_table(folder / "rows.npy", matrix, world());
    const store::MatrixFile file(folder / "rows.npy", world());
    EXPECT_EQ(fit_and_project(file, options, Whiten::off, world()).embedding.values,
              direct.embedding.values);
}

}  // namespace
}  // namespace nanoatlas::reduce
