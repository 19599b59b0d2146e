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
#include "store/agree.hpp"

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
    /// components: as PcaOptions says; most: that there are
    Chooser(const std::string& components, std::int64_t most)
        : wanted_(parse_components(components)), most_(most) {
        VALIDATE(most >= 1, "a matrix of 1 row has no variance; give at least 2");
        if (wanted_ <= static_cast<double>(most)) return;
        base::log_warning(
            fmt::format("{} components are asked for; this matrix has {} (rows - 1, "
                        "columns), which are kept",
                        wanted_, most));
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

/// Eigenpairs by rank 0, the same bits on every rank.
EigenPairs eigenpairs_on_all(const PackedMatrix& matrix, const Chooser& chooser,
                             const comm::Communicator& comm) {
    EigenPairs pairs;
    comm.on_root([&] { pairs = chooser.of(matrix.whole(), matrix.n, matrix.trace()); });
    pairs.values.resize(comm.broadcast(pairs.values.size()));
    pairs.vectors.resize(pairs.values.size() * static_cast<std::size_t>(matrix.n));
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

store::Matrix<float> read_whole(const store::MatrixFile& file, const comm::Communicator& comm) {
    store::Matrix<float> matrix{
        .rows = comm::row_block(file.rows(), comm), .columns = file.columns(), .values = {}};
    store::agree_on_input(
        comm, [&] { matrix.values = file.read<float>(matrix.rows.first, matrix.rows.count); });
    return matrix;
}

/// Components whose variances all but agree may stand in the wrong order.
void sort_descending(std::vector<double>& values, std::vector<double>& components) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });
    const auto columns = components.size() / values.size();
    const auto old_values = values, old_components = components;
    for (std::size_t c = 0; c < order.size(); ++c) {
        values[c] = old_values[order[c]];
        std::copy_n(old_components.begin() + static_cast<std::ptrdiff_t>(order[c] * columns),
                    columns, components.begin() + static_cast<std::ptrdiff_t>(c * columns));
    }
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

/// What both ways to the components share.
class Fit {
  public:
    Fit(const RowTiles& tiles, const PcaOptions& options, const comm::Communicator& comm)
        : comm_(comm),
          rows_(tiles.total_rows()),
          columns_(tiles.columns()),
          chooser_(options.components, std::min(rows_ - 1, columns_)),
          means_(column_means(tiles, comm)) {
        VALIDATE(means_.largest_deviation > 0,
                 "all {} rows of the matrix are equal (there is no variance to keep); check the "
                 "input",
                 rows_);
    }

    Pca by_columns(const RowTiles& tiles) const {
        const auto scatter = scatter_matrix(tiles, means_, comm_);
        auto pairs = eigenpairs_on_all(scatter, chooser_, comm_);
        return pca(tiles, scatter, std::move(pairs.vectors));
    }

    Pca by_rows(const RowTiles& tiles, const store::Matrix<float>& matrix) const {
        const auto transposed = centred_transpose(matrix, means_.mean, comm_);
        const ColumnMeans centred{.mean = std::vector<double>(static_cast<std::size_t>(rows_)),
                                  .largest_deviation = means_.largest_deviation};
        const auto products = scatter_matrix(RowTiles(transposed, comm_), centred, comm_);
        const auto pairs = eigenpairs_on_all(products, chooser_, comm_);
        return pca(tiles, products, components_from_rows(matrix, means_.mean, pairs, comm_));
    }

  private:
    /// products: of columns or of rows, whose eigenvalues are those of the covariance
    Pca pca(const RowTiles& tiles, const PackedMatrix& products,
            std::vector<double> components) const {
        const auto degrees = static_cast<double>(rows_ - 1);
        const double trace = products.trace();
        auto squares = squares_along(tiles, means_.mean, components, 2 * trace, comm_);
        sort_descending(squares, components);
        fix_signs(components, static_cast<std::size_t>(columns_));
        Pca pca{.mean = means_.mean,
                .components = std::move(components),
                .explained_variance = std::move(squares),
                .explained_variance_ratio = {},
                .total_variance = trace / degrees,
                .squared_covariance = products.sum_of_squares() / (degrees * degrees)};
        for (auto& value : pca.explained_variance) {
            pca.explained_variance_ratio.push_back(value / trace);
            value /= degrees;
        }
        return pca;
    }

    const comm::Communicator& comm_;
    std::int64_t rows_, columns_;
    Chooser chooser_;
    ColumnMeans means_;
};

/// The embedding of rows that come in pieces.
class Projector {
  public:
    Projector(const Pca& pca, Whiten whiten)
        : columns_(pca.mean.size()),
          scale_(static_cast<std::size_t>(pca.count()), 1.0),
          products_(pca.mean, pca.components) {
        for (std::size_t c = 0; c < scale_.size() && whiten == Whiten::on; ++c) {
            const double variance = pca.explained_variance[c];
            scale_[c] = variance > 1e-12 * pca.explained_variance[0] ? 1 / std::sqrt(variance) : 0;
        }
    }

    void add(std::span<const float> rows, std::vector<float>& embedding) {
        const auto k = scale_.size();
        scores_.resize(rows.size() / columns_ * k);
        products_.multiply(rows, scores_);
        for (std::size_t i = 0; i < scores_.size(); ++i)
            embedding.push_back(static_cast<float>(scores_[i] * scale_[i % k]));
    }

  private:
    std::size_t columns_;
    std::vector<double> scale_, scores_;
    kernels::kokkos::RowProducts products_;
};

/// Rows that are projected at a time.
constexpr auto rows_at_once = RowTiles::tile_rows;

bool goes_by_columns(std::int64_t rows, std::int64_t columns) {
    return columns <= std::max(most_columns_of_covariance, rows);
}

}  // namespace

Pca fit_pca(const store::Matrix<float>& matrix, const PcaOptions& options,
            const comm::Communicator& comm) {
    const RowTiles tiles(matrix, comm);
    const Fit fit(tiles, options, comm);
    return goes_by_columns(matrix.rows.total, matrix.columns) ? fit.by_columns(tiles)
                                                              : fit.by_rows(tiles, matrix);
}

Pca fit_pca(const store::MatrixFile& file, const PcaOptions& options,
            const comm::Communicator& comm) {
    if (!goes_by_columns(file.rows(), file.columns()))
        return fit_pca(read_whole(file, comm), options, comm);
    const RowTiles tiles(file, comm);
    return Fit(tiles, options, comm).by_columns(tiles);
}

store::Matrix<float> project(const store::Matrix<float>& matrix, const Pca& pca, Whiten whiten) {
    store::Matrix<float> embedding{.rows = matrix.rows, .columns = pca.count(), .values = {}};
    Projector projector(pca, whiten);
    const auto values = std::span<const float>(matrix.values);
    for (std::int64_t first = 0; first < matrix.rows.count; first += rows_at_once) {
        const auto count = std::min(rows_at_once, matrix.rows.count - first);
        projector.add(values.subspan(static_cast<std::size_t>(first * matrix.columns),
                                     static_cast<std::size_t>(count * matrix.columns)),
                      embedding.values);
    }
    return embedding;
}

store::Matrix<float> project(const store::MatrixFile& file, const Pca& pca, Whiten whiten,
                             const comm::Communicator& comm) {
    store::Matrix<float> embedding{
        .rows = comm::row_block(file.rows(), comm), .columns = pca.count(), .values = {}};
    Projector projector(pca, whiten);
    store::agree_on_input(comm, [&] {
        const auto& own = embedding.rows;
        for (auto first = own.first; first < own.end(); first += rows_at_once)
            projector.add(file.read<float>(first, std::min(rows_at_once, own.end() - first)),
                          embedding.values);
    });
    return embedding;
}

}  // namespace nanoatlas::reduce
