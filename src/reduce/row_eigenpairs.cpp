#include "reduce/row_eigenpairs.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <span>

#include "reduce/row_sample.hpp"
#include "reduce/row_scatter.hpp"
#include "reduce/subspace_iteration.hpp"

namespace nanoatlas::reduce {
namespace {

// Of a residual, over the distance of an eigenvalue from those left out.
constexpr double tolerance = 1e-6;
// What the eigenvectors of the sample miss of those of all rows, roughly.
constexpr double error_of_sample = 1e-2;
// Where the sample needs more, so do all rows.
constexpr int most_products_of_sample = 4;
constexpr std::int64_t fewest_rows = 8 * sample_rows;
// An element of a product of rows with vectors takes that much longer than one of the matrix.
constexpr double relative_cost = 1.25;
// Products beyond those foreseen, before it is given up.
constexpr int spare_products = 2;

/// As many products with the rows cost as much as the matrix.
double products_of_equal_cost(std::int64_t columns, std::int64_t k) {
    const auto vectors = static_cast<double>(SubspaceIteration::block_size(columns, k));
    return static_cast<double>(columns) / (4 * relative_cost * vectors);
}

/// How many products it takes from the sample's eigenvectors on, by its eigenvalues; infinity if it
/// cannot be had.
double products_needed(std::span<const double> values, std::size_t k, double trace,
                       std::int64_t rows) {
    const double last = values[k - 1], omitted = std::max(values.back(), 1e-10 * values[0]);
    // Rounding of scores in f32 is independent from row to row.
    const double rounding = 6e-8 * trace / std::sqrt(static_cast<double>(rows));
    if (!(rounding <= 0.3 * tolerance * (last - omitted)))
        return std::numeric_limits<double>::infinity();
    // Each product damps the rest as a Chebyshev polynomial's next degree does.
    const double growth = std::acosh(2 * last / omitted - 1);
    return 1 + std::ceil(std::log(error_of_sample / tolerance) / growth);
}

SubspaceIteration::Bound share_of_gap(double share) {
    return [share](std::span<const double> values, std::size_t j) {
        return share * (values[j] - values.back());
    };
}

}  // namespace

template <class T>
RowEigenPairs leading_eigenpairs_of_rows(const RowTiles<T>& tiles, const ColumnMeans& means,
                                         std::int64_t k, const comm::Communicator& comm) {
    const auto columns = tiles.columns();
    const double most_products = products_of_equal_cost(columns, k);
    if (tiles.total_rows() < fewest_rows || most_products < 2) return {};

    const auto rows = centred_sample(tiles, means, comm);
    RowEigenPairs result;
    const RowScatter scatter(tiles, means, SubspaceIteration::block_size(columns, k), comm);
    const auto find = [&] {
        const SampleScatter few(rows, columns, tiles.total_rows());
        SubspaceIteration sample(
            std::cref(few), columns, k,
            SubspaceIteration::random_block(columns, SubspaceIteration::block_size(columns, k)));
        const bool is_found = sample.run(most_products_of_sample, share_of_gap(error_of_sample));
        result.near = sample.block();
        if (!is_found) return;
        const double needed = products_needed(sample.values(), static_cast<std::size_t>(k),
                                              few.trace(), tiles.total_rows());
        if (needed > most_products) return;
        SubspaceIteration iteration(std::cref(scatter), columns, k, sample.block());
        if (iteration.run(static_cast<int>(needed) + spare_products, share_of_gap(tolerance)))
            result.pairs = iteration.pairs();
    };
    if (comm.is_root()) {
        find();
        scatter.dismiss();
    } else {
        scatter.serve();
    }
    if (!comm.broadcast(result.pairs.has_value())) return result;
    if (!comm.is_root()) result.pairs.emplace();
    broadcast(*result.pairs, columns, comm);
    return result;
}

template RowEigenPairs leading_eigenpairs_of_rows(const RowTiles<float>&, const ColumnMeans&,
                                                  std::int64_t, const comm::Communicator&);
template RowEigenPairs leading_eigenpairs_of_rows(const RowTiles<double>&, const ColumnMeans&,
                                                  std::int64_t, const comm::Communicator&);

}  // namespace nanoatlas::reduce
