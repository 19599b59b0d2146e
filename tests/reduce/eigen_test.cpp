#include "reduce/eigen.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <span>

#include "base/random.hpp"
#include "kernels/reference/pca.hpp"

namespace nanoatlas::reduce {
namespace {

using Values = std::vector<double>;

/// Sum over i of spectrum[i] v v^T, v random and orthonormal: a matrix with those eigenvalues.
Values matrix_with(const Values& spectrum, base::Random random) {
    const auto n = spectrum.size();
    Values vectors(n * n), matrix(n * n);
    for (std::size_t i = 0; i < n; ++i) {  // Gram-Schmidt, twice
        double* v = vectors.data() + i * n;
        for (std::size_t j = 0; j < n; ++j) v[j] = random.normal();
        for (int pass = 0; pass < 2; ++pass) {
            for (std::size_t p = 0; p < i; ++p) {
                double product = 0;
                for (std::size_t j = 0; j < n; ++j) product += v[j] * vectors[p * n + j];
                for (std::size_t j = 0; j < n; ++j) v[j] -= product * vectors[p * n + j];
            }
            double square = 0;
            for (std::size_t j = 0; j < n; ++j) square += v[j] * v[j];
            for (std::size_t j = 0; j < n; ++j) v[j] /= std::sqrt(square);
        }
        for (std::size_t j = 0; j < n; ++j)
            for (std::size_t l = 0; l < n; ++l) matrix[j * n + l] += spectrum[i] * v[j] * v[l];
    }
    return matrix;
}

/// Eigenvalues as expected, and A v = lambda v, |v| = 1, vectors orthogonal.
/// tolerance: of a residual's elements, over the distance of an eigenvalue from the last
void expect_eigenpairs(const Values& matrix, const EigenPairs& pairs, const Values& expected,
                       double tolerance = 0) {
    const auto n = static_cast<std::size_t>(std::sqrt(static_cast<double>(matrix.size())));
    const auto k = pairs.values.size();
    ASSERT_EQ(pairs.vectors.size(), k * n);
    const double scale = std::max(expected[0], 1e-300);
    for (std::size_t c = 0; c < k; ++c) {
        EXPECT_NEAR(pairs.values[c], expected[c], 1e-12 * scale) << "value " << c;
        const double* v = pairs.vectors.data() + c * n;
        for (std::size_t i = 0; i < n; ++i) {
            double product = 0;
            for (std::size_t j = 0; j < n; ++j) product += matrix[i * n + j] * v[j];
            ASSERT_NEAR(product, pairs.values[c] * v[i],
                        2e-12 * scale + tolerance * (expected[c] - expected.back()))
                << "vector " << c;
        }
        for (std::size_t other = 0; other <= c; ++other) {
            double product = 0;
            for (std::size_t j = 0; j < n; ++j) product += v[j] * pairs.vectors[other * n + j];
            ASSERT_NEAR(product, other == c ? 1 : 0, 1e-10);
        }
    }
}

TEST(Eigen, agrees_with_jacobi_on_random_matrices) {
    for (int trial = 0; trial < 30; ++trial) {
        base::Random random(11, trial);
        const auto n = static_cast<std::int64_t>(1 + random.below(30));
        std::vector<float> rows(static_cast<std::size_t>(40 * n));
        for (auto& value : rows) value = static_cast<float>(random.normal());
        const auto matrix = kernels::reference::scatter(rows, 40, n);
        const auto expected = kernels::reference::eigen(matrix, n);
        const auto k = static_cast<std::int64_t>(1 + random.below(static_cast<std::uint64_t>(n)));
        const auto pairs = leading_eigenpairs(matrix, n, k);
        ASSERT_EQ(pairs.values.size(), static_cast<std::size_t>(k));
        expect_eigenpairs(matrix, pairs, expected.values);
        const auto all = all_eigenvalues(matrix, n);
        for (std::size_t i = 0; i < all.size(); ++i)
            EXPECT_NEAR(all[i], expected.values[i], 1e-12 * expected.values[0]);
    }
}

TEST(Eigen, subspace_iteration_finds_every_kind_of_spectrum) {
    constexpr std::size_t n = 256, k = 20;
    const auto decreasing = [](auto law) {
        Values spectrum;
        for (std::size_t i = 0; i < n; ++i) spectrum.push_back(law(static_cast<double>(i)));
        return spectrum;
    };
    const std::vector<Values> spectra{
        decreasing([](double i) { return 1 / (1 + i); }),
        decreasing([](double i) { return std::exp(-i); }),           // steep
        decreasing([](double i) { return 1 + 1e-3 * (256 - i); }),   // flat
        decreasing([](double i) { return i < 20 ? 1.0 : 0.9999; }),  // flatter: needs LAPACK
        decreasing([](double) { return 0.0; }),
        decreasing([](double i) { return i < 5 ? 5.0 : 0.0; }),  // rank below k, all alike
        decreasing([](double i) { return i < 12 ? 1e6 - i : 1 / (1 + i); }),
        decreasing([](double i) { return 1e-200 / (1 + i); }),
    };
    for (std::size_t s = 0; s < spectra.size(); ++s) {
        SCOPED_TRACE(s);
        const auto matrix = matrix_with(spectra[s], base::Random(12, s));
        expect_eigenpairs(matrix, leading_eigenpairs(matrix, n, k), spectra[s], 1e-7);
        expect_eigenpairs(matrix, leading_eigenpairs_lapack(matrix, n, k), spectra[s]);
    }
}

TEST(Eigen, few_of_many_are_the_same_to_the_bit_on_any_number_of_threads) {
    constexpr std::size_t n = 600;
    base::Random random(13);
    std::vector<float> rows(900 * n);
    for (std::size_t i = 0; i < rows.size(); ++i)
        rows[i] = static_cast<float>(random.normal() / static_cast<double>(1 + i % n));
    const auto matrix = kernels::reference::scatter(rows, 900, n);
    const auto few =
        kernels::reference::scatter(std::vector(rows.begin(), rows.begin() + 300 * 200), 300, 200);
    const int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    const auto alone = leading_eigenpairs(matrix, n, 20), small = leading_eigenpairs(few, 200, 30);
    for (const int count : {2, 3}) {
        omp_set_num_threads(count);
        const auto together = leading_eigenpairs(matrix, n, 20);
        EXPECT_EQ(together.values, alone.values);
        EXPECT_EQ(together.vectors, alone.vectors);
        EXPECT_EQ(leading_eigenpairs(few, 200, 30).vectors, small.vectors);
    }
    omp_set_num_threads(threads);
}

}  // namespace
}  // namespace nanoatlas::reduce
