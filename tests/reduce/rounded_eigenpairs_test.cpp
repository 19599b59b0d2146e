#include "reduce/rounded_eigenpairs.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <functional>
#include <numeric>
#include <span>

#include "base/random.hpp"
#include "reduce/pca.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/mpi_test.hpp"

namespace nanoatlas::reduce {
namespace {

using Matrix = store::Matrix<float>;
using testing::world;

constexpr std::int64_t rows = 8300, columns = 300, k = 20;

using Deviation = std::function<double(std::size_t column)>;

/// Independent columns of these deviations, reflected about a diagonal plane, far from the origin.
Matrix drawn(std::int64_t total, const comm::Communicator& comm, const Deviation& deviation) {
    Matrix matrix{.rows = comm::row_block(total, comm), .columns = columns, .values = {}};
    std::vector<double> row(columns);
    for (std::int64_t i = matrix.rows.first; i < matrix.rows.end(); ++i) {
        base::Random random(40, i);
        for (std::size_t j = 0; j < row.size(); ++j) row[j] = deviation(j) * random.normal();
        const double sum = std::accumulate(row.begin(), row.end(), 0.0);
        for (const double value : row)
            matrix.values.push_back(static_cast<float>(50 + value - 2 * sum / columns));
    }
    return matrix;
}

double falling(std::size_t column) {
    return 1 / std::sqrt(static_cast<double>(1 + column));
}
double flat(std::size_t) {
    return 1;
}

std::optional<EigenPairs> found_of(const Matrix& matrix, const comm::Communicator& comm,
                                   std::int64_t count = k) {
    const RowTiles tiles(matrix, comm);
    return leading_eigenpairs_of_rounded_rows(tiles, column_means(tiles, comm), count, {}, comm);
}

/// v_i^T C v_j of the f64 scatter matrix C of a matrix: [k, k].
std::vector<double> correlations(const Matrix& matrix, const EigenPairs& pairs) {
    const RowTiles tiles(matrix, world());
    const auto scatter =
        scatter_matrix<double>(tiles, column_means(tiles, world()), world()).whole();
    std::vector<double> result;
    for (std::size_t i = 0; i < k; ++i) {
        std::vector<double> image(columns);
        for (std::size_t a = 0; a < columns; ++a)
            for (std::size_t b = 0; b < columns; ++b)
                image[b] += pairs.vectors[i * columns + a] * scatter[a * columns + b];
        for (std::size_t j = 0; j < k; ++j)
            result.push_back(std::inner_product(
                image.begin(), image.end(),
                pairs.vectors.begin() + static_cast<std::ptrdiff_t>(j * columns), 0.0));
    }
    return result;
}

TEST(RoundedEigenPairs, give_the_variances_of_the_matrix_itself) {
    for (const auto& deviation : {falling, flat}) {
        const auto matrix = drawn(rows, world(), deviation);
        const auto found = found_of(matrix, world());
        ASSERT_TRUE(found.has_value());
        ASSERT_EQ(found->values.size(), static_cast<std::size_t>(k));
        const RowTiles tiles(matrix, world());
        const auto expected = leading_eigenpairs(
            scatter_matrix<double>(tiles, column_means(tiles, world()), world()), k, world());
        const auto along = correlations(matrix, *found);
        for (std::size_t c = 0; c < k; ++c)
            EXPECT_NEAR(along[c * k + c], expected.values[c], 1e-8 * expected.values[c]) << c;
    }
}

TEST(RoundedEigenPairs, are_taken_apart_where_they_lie_close_together) {
    const auto matrix = drawn(rows, world(), flat);
    const auto found = found_of(matrix, world());
    ASSERT_TRUE(found.has_value());
    const auto along = correlations(matrix, *found);
    for (std::size_t i = 0; i < k; ++i)
        for (std::size_t j = 0; j < i; ++j)
            EXPECT_NEAR(along[i * k + j], 0, 1e-11 * along[i * k + i]) << i << ", " << j;
}

TEST(RoundedEigenPairs, are_the_same_to_the_bit_on_any_number_of_ranks_and_threads) {
    const auto self = comm::Communicator::self();
    const int threads = omp_get_max_threads();
    for (const auto& deviation : {falling, flat}) {
        const auto together = found_of(drawn(rows, world(), deviation), world());
        const auto whole = drawn(rows, self, deviation);
        for (const int count : {1, 3}) {
            omp_set_num_threads(count);
            const auto alone = found_of(whole, self);
            EXPECT_EQ(together->values, alone->values);
            EXPECT_EQ(together->vectors, alone->vectors);
        }
        omp_set_num_threads(threads);
    }
}

TEST(RoundedEigenPairs, are_left_alone_where_rounding_shows_or_does_not_pay) {
    EXPECT_FALSE(found_of(drawn(2000, world(), falling), world()).has_value()) << "few rows";
    EXPECT_FALSE(found_of(drawn(rows, world(), falling), world(), 30).has_value()) << "many pairs";
    const auto low_rank =
        drawn(rows, world(), [](std::size_t column) { return column < 5 ? 1.0 : 0.0; });
    EXPECT_FALSE(found_of(low_rank, world()).has_value()) << "some vectors are arbitrary";
    auto outlying = drawn(rows, world(), falling);
    if (world().is_root()) std::fill_n(outlying.values.begin(), columns, 1e5F);
    EXPECT_FALSE(found_of(outlying, world()).has_value()) << "one row makes the steps coarse";
}

}  // namespace
}  // namespace nanoatlas::reduce
