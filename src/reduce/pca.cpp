#include "reduce/pca.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "base/check.hpp"
#include "base/log.hpp"
#include "base/number.hpp"
#include "kernels/kokkos/products.hpp"
#include "reduce/eigen.hpp"
#include "reduce/scatter.hpp"

namespace nanoatlas::reduce {
namespace {

// Up to here the covariance is small beside the data and cheaper than to move rows around.
constexpr std::int64_t most_columns_of_covariance = 4096;

double parse_components(const std::string& text) {
    const double value = base::parse_number<double>(text).value_or(0);
    VALIDATE(std::isfinite(value) && value > 0 && (value < 1 || value == std::trunc(value)),
             "--components is '{}'; give a number of components or a share of the variance below 1 "
             "such as 0.95",
             text);
    return value;
}

/// The eigenvectors that the user asked for, of a matrix with that trace.
class Chooser {
  public:
    Chooser(double wanted, std::int64_t most) : wanted_(wanted), most_(most) {
        if (wanted <= static_cast<double>(most)) return;
        base::log_warning(
            fmt::format("{} components are asked for; this matrix has {} (rows - 1, "
                        "columns), which are kept",
                        wanted, most));
        wanted_ = static_cast<double>(most);
    }

    EigenPairs of(std::span<const double> matrix, std::int64_t n, double trace) const {
        const auto k = wanted_ < 1 ? enough(all_eigenvalues(matrix, n), trace)
                                   : static_cast<std::int64_t>(wanted_);
        return leading_eigenpairs(matrix, n, k);
    }

  private:
    std::int64_t enough(const std::vector<double>& values, double trace) const {
        double sum = 0;
        std::int64_t k = 0;
        while (k < most_ && sum <= wanted_ * trace) sum += values[static_cast<std::size_t>(k++)];
        return k;
    }
    double wanted_;
    std::int64_t most_;
};

double trace_of(std::span<const double> matrix, std::int64_t n) {
    double trace = 0;
    for (std::int64_t i = 0; i < n; ++i) trace += matrix[static_cast<std::size_t>(i * (n + 1))];
    return trace;
}

double sum_of_squares(std::span<const double> matrix) {
    return std::inner_product(matrix.begin(), matrix.end(), matrix.begin(), 0.0);
}

/// Eigenpairs by rank 0, the same bits on every rank.
EigenPairs eigenpairs_on_all(const std::vector<double>& matrix, std::int64_t n, double trace,
                             const Chooser& chooser, const comm::Communicator& comm) {
    EigenPairs pairs;
    comm.on_root([&] { pairs = chooser.of(matrix, n, trace); });
    pairs.values.resize(comm.broadcast(pairs.values.size()));
    pairs.vectors.resize(pairs.values.size() * static_cast<std::size_t>(n));
    comm.broadcast(std::span<double>(pairs.values));
    comm.broadcast(std::span<double>(pairs.vectors));
    for (auto& value : pairs.values) value = std::max(value, 0.0);  // -1e-17 of rounding
    return pairs;
}

/// (x - mean)^T, [D, N], its rows in blocks over ranks.
store::Matrix<float> centred_transpose(const store::Matrix<float>& matrix,
                                       const std::vector<double>& mean,
                                       const comm::Communicator& comm) {
    const comm::BlockDistribution blocks(matrix.columns, comm.size());
    std::vector<std::vector<float>> parts(static_cast<std::size_t>(comm.size()));
    for (int rank = 0; rank < comm.size(); ++rank) {
        const auto block = blocks.block(rank);
        auto& part = parts[static_cast<std::size_t>(rank)];
        part.reserve(static_cast<std::size_t>(block.count * matrix.rows.count));
        for (std::int64_t i = 0; i < matrix.rows.count; ++i)
            for (std::int64_t j = block.first; j < block.end(); ++j)
                part.push_back(static_cast<float>(matrix.row(i)[static_cast<std::size_t>(j)] -
                                                  mean[static_cast<std::size_t>(j)]));
    }
    store::Matrix<float> result{
        .rows = blocks.block(comm.rank()), .columns = matrix.rows.total, .values = {}};
    result.values.resize(static_cast<std::size_t>(result.rows.count * result.columns));
    std::int64_t row = 0;  // of the whole matrix: a column of the result
    for (const auto& part : comm.exchange(parts))
        for (std::size_t at = 0; at < part.size(); ++row)
            for (std::int64_t j = 0; j < result.rows.count; ++j)
                result.row(j)[static_cast<std::size_t>(row)] = part[at++];
    return result;
}

/// Components [k, D] from the eigenvectors [k, N] of the products of rows: X^T u, of unit length;
/// those without variance are 0.
std::vector<double> components_from_rows(const store::Matrix<float>& matrix,
                                         const std::vector<double>& mean, const EigenPairs& pairs,
                                         const comm::Communicator& comm) {
    const auto k = pairs.values.size(), columns = static_cast<std::size_t>(matrix.columns);
    std::vector<double> components(k * columns), row(columns);
    for (std::int64_t i = 0; i < matrix.rows.count; ++i) {
        const auto x = matrix.row(i);
        for (std::size_t j = 0; j < columns; ++j) row[j] = x[j] - mean[j];
        const auto at = static_cast<std::size_t>(matrix.rows.first + i);
#pragma omp parallel for
        for (std::size_t c = 0; c < k; ++c) {
            const double weight =
                pairs.vectors[c * static_cast<std::size_t>(matrix.rows.total) + at];
            for (std::size_t j = 0; j < columns; ++j)
                components[c * columns + j] += weight * row[j];
        }
    }
    comm.sum(std::span<double>(components));
    for (std::size_t c = 0; c < k; ++c) {
        const auto component = std::span(components).subspan(c * columns, columns);
        const double length = std::sqrt(
            std::inner_product(component.begin(), component.end(), component.begin(), 0.0));
        const bool empty = pairs.values[c] <= 1e-12 * pairs.values[0];
        for (auto& value : component) value = empty ? 0 : value / length;
    }
    return components;
}

/// The sign of an eigenvector is free: the entry of the largest magnitude is made positive, as
/// scikit-learn does.
void fix_signs(std::vector<double>& components, std::size_t columns) {
    for (std::size_t at = 0; at < components.size(); at += columns) {
        const auto component = std::span(components).subspan(at, columns);
        const auto largest =
            std::max_element(component.begin(), component.end(),
                             [](double a, double b) { return std::abs(a) < std::abs(b); });
        if (*largest < 0)
            for (auto& value : component) value = -value;
    }
}

}  // namespace

Pca fit_pca(const store::Matrix<float>& matrix, const PcaOptions& options,
            const comm::Communicator& comm) {
    const auto rows = matrix.rows.total, columns = matrix.columns;
    VALIDATE(rows >= 2, "a matrix of {} row has no variance; give at least 2", rows);
    const Chooser chooser(parse_components(options.components), std::min(rows - 1, columns));

    const RowTiles tiles(matrix, comm);
    const auto means = column_means(tiles, comm);
    VALIDATE(means.largest_deviation > 0,
             "all {} rows of the matrix are equal (there is no variance to keep); check the input",
             rows);
    Pca pca{.mean = means.mean,
            .components = {},
            .explained_variance = {},
            .explained_variance_ratio = {}};
    double trace = 0;
    if (columns <= std::max(most_columns_of_covariance, rows)) {
        const auto scatter = scatter_matrix(tiles, means, comm);
        trace = trace_of(scatter, columns);
        pca.squared_covariance = sum_of_squares(scatter);
        auto pairs = eigenpairs_on_all(scatter, columns, trace, chooser, comm);
        pca.components = std::move(pairs.vectors);
        pca.explained_variance = std::move(pairs.values);
    } else {
        const auto transposed = centred_transpose(matrix, means.mean, comm);
        const ColumnMeans centred{.mean = std::vector<double>(static_cast<std::size_t>(rows)),
                                  .largest_deviation = means.largest_deviation};
        const auto products = scatter_matrix(RowTiles(transposed, comm), centred, comm);
        trace = trace_of(products, rows);
        pca.squared_covariance = sum_of_squares(products);
        const auto pairs = eigenpairs_on_all(products, rows, trace, chooser, comm);
        pca.components = components_from_rows(matrix, means.mean, pairs, comm);
        pca.explained_variance = pairs.values;
    }
    fix_signs(pca.components, static_cast<std::size_t>(columns));
    for (auto& value : pca.explained_variance) {
        pca.explained_variance_ratio.push_back(value / trace);
        value /= static_cast<double>(rows - 1);
    }
    pca.total_variance = trace / static_cast<double>(rows - 1);
    pca.squared_covariance /= static_cast<double>(rows - 1) * static_cast<double>(rows - 1);
    return pca;
}

store::Matrix<float> project(const store::Matrix<float>& matrix, const Pca& pca, Whiten whiten) {
    const auto k = static_cast<std::size_t>(pca.count());
    const auto columns = static_cast<std::size_t>(matrix.columns);
    std::vector<double> scale(k, 1.0);
    for (std::size_t c = 0; c < k && whiten == Whiten::on; ++c) {
        const double variance = pca.explained_variance[c];
        scale[c] = variance > 1e-12 * pca.explained_variance[0] ? 1 / std::sqrt(variance) : 0;
    }
    const std::vector<float> components(pca.components.begin(), pca.components.end());
    store::Matrix<float> result{.rows = matrix.rows, .columns = pca.count(), .values = {}};
    result.values.reserve(static_cast<std::size_t>(matrix.rows.count) * k);
    std::vector<float> centred;
    std::vector<double> scores;
    for (std::int64_t first = 0; first < matrix.rows.count; first += RowTiles::tile_rows) {
        const auto count = std::min(RowTiles::tile_rows, matrix.rows.count - first);
        centred.resize(static_cast<std::size_t>(count) * columns);
        scores.resize(static_cast<std::size_t>(count) * k);
#pragma omp parallel for
        for (std::int64_t i = 0; i < count; ++i) {
            const auto x = matrix.row(first + i);
            for (std::size_t j = 0; j < columns; ++j)
                centred[static_cast<std::size_t>(i) * columns + j] =
                    static_cast<float>(x[j] - pca.mean[j]);
        }
        kernels::kokkos::row_products(centred, components, columns, scores);
        for (std::size_t i = 0; i < scores.size(); ++i)
            result.values.push_back(static_cast<float>(scores[i] * scale[i % k]));
    }
    return result;
}

}  // namespace nanoatlas::reduce
