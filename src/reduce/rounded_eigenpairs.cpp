#include "reduce/rounded_eigenpairs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "kernels/kokkos/products.hpp"
#include "store/agree.hpp"

namespace nanoatlas::reduce {
namespace {

using Steps = kernels::kokkos::RoundingSteps;

// Of a variance, relative, by what a vector has of others.
constexpr double tolerance = 1e-9, tolerance_within = 5e-9;
// Of vectors that rounding has turned by more.
constexpr double tolerance_of_search = 1e-5;
// Vectors beyond those wanted, so that those left out lie further off.
constexpr std::int64_t spare_vectors = 8;
constexpr std::int64_t fewest_rows = 8192, fewest_columns = 256;

// Of values from their mean, so that what counts as 0 is nothing beside them.
constexpr double least_deviation = 1e-6;

bool pays(std::int64_t rows, std::int64_t columns, std::int64_t vectors) {
    return rows >= fewest_rows && columns >= fewest_columns && vectors <= columns / 8;
}

/// The mean square of what rounding adds to a value, or more.
double square_of_rounding(const PackedMatrix& scatter, const ColumnMeans& means,
                          std::int64_t rows) {
    double sum = 0;
    for (std::int64_t c = 0; c < scatter.n; ++c) {
        const double square_of_length =
            static_cast<double>(Steps::rows) * scatter.diagonal(c) / static_cast<double>(rows);
        sum += square_of_length / std::pow(Steps::in_length, 2) +
               std::pow(means.deviation[static_cast<std::size_t>(c)] / Steps::in_largest, 2);
    }
    return sum / (12 * static_cast<double>(scatter.n));
}

/// The relative error of a variance whose vector has something of another, by rounding of that mean
/// square: independent from row to row, it makes the scores of the two correlate by
/// 2 sqrt(value * square).
double error_of_variance(double square, double gap) {
    return gap > 0 ? 4 * square / gap : std::numeric_limits<double>::infinity();
}

double least_gap(std::span<const double> descending) {
    double gap = std::numeric_limits<double>::infinity();
    for (std::size_t i = 1; i < descending.size(); ++i)
        gap = std::min(gap, descending[i - 1] - descending[i]);
    return gap;
}

/// Turns vectors within their span so that the scores of the rows do not correlate (Rayleigh and
/// Ritz), by products in f64. Collective.
template <class T>
void uncorrelate(EigenPairs& pairs, const RowTiles<T>& tiles, const ColumnMeans& means,
                 const comm::Communicator& comm) {
    const auto m = pairs.values.size(), width = means.mean.size();
    kernels::kokkos::RowProducts score(means.mean, pairs.vectors);
    kernels::kokkos::ColumnProducts<double> products(std::vector<double>(m),
                                                     Quantum(2 * pairs.values[0]).anchor());
    store::agree_on_input(comm, [&] {
        std::vector<T> room;
        std::vector<double> scores;
        for (std::int64_t t = 0; t < tiles.count(); ++t) {
            const auto rows = tiles.rows(t, room);
            scores.resize(rows.size() / width * m);
            score.multiply(rows, scores);
            products.add(std::span<const double>(scores));
        }
    });
    PackedMatrix of_scores{.n = static_cast<std::int64_t>(m), .lower = products.sums()};
    comm.sum(std::span<double>(of_scores.lower));
    auto turned = leading_eigenpairs(of_scores, of_scores.n, comm);
    std::vector<double> vectors(pairs.vectors.size());
    for (std::size_t i = 0; i < m; ++i)
        for (std::size_t j = 0; j < m; ++j)
            for (std::size_t c = 0; c < width; ++c)
                vectors[i * width + c] += turned.vectors[i * m + j] * pairs.vectors[j * width + c];
    pairs = {.values = std::move(turned.values), .vectors = std::move(vectors)};
}

}  // namespace

template <class T>
std::optional<EigenPairs> leading_eigenpairs_of_rounded_rows(const RowTiles<T>& tiles,
                                                             const ColumnMeans& means,
                                                             std::int64_t k,
                                                             const std::vector<double>& near,
                                                             const comm::Communicator& comm) {
    if (!pays(tiles.total_rows(), tiles.columns(), k + spare_vectors) ||
        means.largest_deviation < least_deviation)
        return std::nullopt;
    const auto scatter = scatter_matrix<std::int16_t>(tiles, means, comm);
    auto pairs = leading_eigenpairs(scatter, k + spare_vectors, comm,
                                    {.start = near, .tolerance = tolerance_of_search});
    const double square = square_of_rounding(scatter, means, tiles.total_rows());
    const auto wanted = static_cast<std::size_t>(k);
    const auto values = std::span<const double>(pairs.values);
    if (error_of_variance(square, values[wanted - 1] - values.back()) > tolerance)
        return std::nullopt;
    if (error_of_variance(square, least_gap(values.first(wanted + 1))) > tolerance_within)
        uncorrelate(pairs, tiles, means, comm);
    pairs.values.resize(wanted);
    pairs.vectors.resize(wanted * means.mean.size());
    return pairs;
}

template std::optional<EigenPairs> leading_eigenpairs_of_rounded_rows(const RowTiles<float>&,
                                                                      const ColumnMeans&,
                                                                      std::int64_t,
                                                                      const std::vector<double>&,
                                                                      const comm::Communicator&);
template std::optional<EigenPairs> leading_eigenpairs_of_rounded_rows(const RowTiles<double>&,
                                                                      const ColumnMeans&,
                                                                      std::int64_t,
                                                                      const std::vector<double>&,
                                                                      const comm::Communicator&);

}  // namespace nanoatlas::reduce
