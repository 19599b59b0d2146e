#include "reduce/eigen.hpp"

#include <algorithm>
#include <optional>

#include "reduce/lapack.hpp"
#include "reduce/subspace_iteration.hpp"

namespace nanoatlas::reduce {
namespace {

constexpr double tolerance = 1e-12;  // of a residual, over the largest eigenvalue
constexpr std::int64_t small_matrix = 256;

/// Nothing if it has not converged after as many products as dsyevr would cost.
std::optional<EigenPairs> by_subspace_iteration(std::span<const double> matrix, std::int64_t n,
                                                std::int64_t k) {
    const int side = static_cast<int>(n);
    SubspaceIteration iteration(
        [&](const VectorBlock& in, VectorBlock& out) {
            multiply_strips(static_cast<int>(in.size() / static_cast<std::size_t>(n)), side, side,
                            in.data(), matrix.data(), out.data());
        },
        n, k);
    const bool found = iteration.run(
        40 + side / 10,
        [](std::span<const double> values, std::size_t) { return tolerance * values[0]; });
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

EigenPairs leading_eigenpairs(std::span<const double> matrix, std::int64_t n, std::int64_t k) {
    EigenPairs pairs;
    if (n < small_matrix) {
        on_one_thread([&] { pairs = leading_eigenpairs_lapack(matrix, n, k); });
        return pairs;
    }
    if (k <= n / 8)
        if (auto found = by_subspace_iteration(matrix, n, k)) return *std::move(found);
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
