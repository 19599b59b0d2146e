#include "reduce/eigen.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "reduce/lapack.hpp"
#include "reduce/subspace_iteration.hpp"

namespace nanoatlas::reduce {
namespace {

constexpr std::int64_t small_matrix = 256;

// A multiple of 32 vectors: products take hardly longer than with a few less, and each spares the
// more of them, the more vectors there are.
std::int64_t block_size(std::int64_t n, std::int64_t k) {
    constexpr std::int64_t whole = 32;
    return std::min(n, (SubspaceIteration::block_size(n, k) + whole - 1) / whole * whole);
}

// By what a positive semi-definite matrix is divided, so that no element is above 1.
double largest_of_diagonal(std::span<const double> matrix, std::int64_t n) {
    double largest = std::numeric_limits<double>::min();
    for (std::int64_t i = 0; i < n; ++i)
        largest = std::max(largest, matrix[static_cast<std::size_t>(i * (n + 1))]);
    return largest;
}

/// Of a symmetric matrix with a block of vectors, one a row, in f32: twice as fast as in f64.
class RoughProduct {
  public:
    RoughProduct(std::span<const double> matrix, std::int64_t n)
        : n_(static_cast<int>(n)),
          scale_(largest_of_diagonal(matrix, n)),
          matrix_(in_f32(matrix, 1 / scale_)) {}

    void operator()(const VectorBlock& in, VectorBlock& out) {
        const auto rounded = in_f32(in, 1);
        product_.resize(in.size());
        multiply_strips(static_cast<int>(in.size()) / n_, n_, n_, rounded.data(), matrix_.data(),
                        product_.data());
#pragma omp parallel for
        for (std::size_t i = 0; i < out.size(); ++i)
            out[i] = scale_ * static_cast<double>(product_[i]);
    }

  private:
    static std::vector<float> in_f32(std::span<const double> values, double factor) {
        std::vector<float> rounded(values.size());
#pragma omp parallel for
        for (std::size_t i = 0; i < rounded.size(); ++i)
            rounded[i] = static_cast<float>(values[i] * factor);
        return rounded;
    }

    int n_;
    double scale_;
    std::vector<float> matrix_, product_;
};

/// Nothing if it has not converged after as many products as dsyevr would cost.
std::optional<EigenPairs> by_subspace_iteration(std::span<const double> matrix, std::int64_t n,
                                                std::int64_t k, const EigenSearch& search) {
    const int side = static_cast<int>(n);
    const auto exact = [&](const VectorBlock& in, VectorBlock& out) {
        multiply_strips(static_cast<int>(in.size()) / side, side, side, in.data(), matrix.data(),
                        out.data());
    };
    auto start = SubspaceIteration::random_block(n, block_size(n, k));
    std::copy_n(search.start.begin(), std::min(search.start.size(), start.size()), start.begin());
    SubspaceIteration iteration(exact, RoughProduct(matrix, n), n, k, std::move(start));
    const bool found =
        iteration.run(40 + side / 10, [&](std::span<const double> values, std::size_t j) {
            return std::max(1e-12 * values[0], search.tolerance * (values[j] - values.back()));
        });
    return found ? std::optional(iteration.pairs()) : std::nullopt;
}

}  // namespace

EigenPairs leading_eigenpairs_lapack(std::span<const double> matrix, std::int64_t n,
                                     std::int64_t k) {
    std::vector<double> work(matrix.begin(), matrix.end());
    std::vector<double> values(static_cast<std::size_t>(n)),
        vectors(static_cast<std::size_t>(k * n));
    std::vector<lapack_int> support(static_cast<std::size_t>(2 * k));
    lapack_int found = 0;
    const auto size = static_cast<lapack_int>(n);
    check_lapack(LAPACKE_dsyevr(LAPACK_COL_MAJOR, 'V', 'I', 'U', size, work.data(), size, 0, 0,
                                static_cast<lapack_int>(n - k + 1), size, 0, &found, values.data(),
                                vectors.data(), size, support.data()),
                 "dsyevr");
    EigenPairs pairs;
    for (std::int64_t j = k - 1; j >= 0; --j) {
        pairs.values.push_back(values[static_cast<std::size_t>(j)]);
        pairs.vectors.insert(pairs.vectors.end(), vectors.begin() + j * n,
                             vectors.begin() + (j + 1) * n);
    }
    return pairs;
}

EigenPairs leading_eigenpairs(std::span<const double> matrix, std::int64_t n, std::int64_t k,
                              const EigenSearch& search) {
    EigenPairs pairs;
    if (n < small_matrix) {
        on_one_thread([&] { pairs = leading_eigenpairs_lapack(matrix, n, k); });
        return pairs;
    }
    if (k <= n / 8)
        if (auto found = by_subspace_iteration(matrix, n, k, search)) return *std::move(found);
    return leading_eigenpairs_lapack(matrix, n, k);
}

void broadcast(EigenPairs& pairs, std::int64_t n, const comm::Communicator& comm) {
    pairs.values.resize(comm.broadcast(pairs.values.size()));
    pairs.vectors.resize(pairs.values.size() * static_cast<std::size_t>(n));
    comm.broadcast(std::span<double>(pairs.values));
    comm.broadcast(std::span<double>(pairs.vectors));
    for (auto& value : pairs.values) value = std::max(value, 0.0);
}

std::vector<double> all_eigenvalues(std::span<const double> matrix, std::int64_t n) {
    std::vector<double> work(matrix.begin(), matrix.end()), values(static_cast<std::size_t>(n));
    check_lapack(LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'N', 'U', static_cast<lapack_int>(n), work.data(),
                                static_cast<lapack_int>(n), values.data()),
                 "dsyevd");
    std::reverse(values.begin(), values.end());
    return values;
}

}  // namespace nanoatlas::reduce
