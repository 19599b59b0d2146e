#include "reduce/pca.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <span>

#include "base/check.hpp"
#include "kernels/kokkos/products.hpp"
#include "reduce/component_choice.hpp"
#include "reduce/products_of_rows.hpp"
#include "reduce/rounded_eigenpairs.hpp"
#include "reduce/row_eigenpairs.hpp"
#include "reduce/row_pieces.hpp"
#include "reduce/scatter.hpp"
#include "store/agree.hpp"

namespace nanoatlas::reduce {
namespace {

// Up to here the covariance is small beside the data and cheaper than to move rows around.
constexpr std::int64_t most_columns_of_covariance = 4096;

template <class T>
store::Matrix<T> read_whole(const store::MatrixFile& file, const comm::Communicator& comm) {
    store::Matrix<T> matrix{
        .rows = comm::row_block(file.rows(), comm), .columns = file.columns(), .values = {}};
    store::agree_on_input(
        comm, [&] { matrix.values = file.read<T>(matrix.rows.first, matrix.rows.count); });
    return matrix;
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

/// Sums of the squares of scores over all rows, in f64 and the same to the bit on any number of
/// ranks. Where components are eigenvectors but for an error e, the sums are their eigenvalues but
/// for one of e^2 (Rayleigh).
class Squares {
  public:
    /// bounds: of each component's sum; each square is rounded to 2^-52 of it
    explicit Squares(const std::vector<double>& bounds) : sums_(bounds.size()) {
        for (const double bound : bounds) quanta_.emplace_back(bound);
    }

    void add(std::span<const double> scores) {
        for (std::size_t at = 0; at < scores.size(); at += sums_.size())
            for (std::size_t c = 0; c < sums_.size(); ++c)
                sums_[c] += quanta_[c].round(scores[at + c] * scores[at + c]);
    }
    std::vector<double> over_ranks(const comm::Communicator& comm) {
        comm.sum(std::span<double>(sums_));
        return std::move(sums_);
    }

  private:
    std::vector<Quantum> quanta_;
    std::vector<double> sums_;
};

/// Places of components by descending variance: those that all but agree may stand in the wrong
/// order.
std::vector<std::size_t> descending(const std::vector<double>& variance) {
    std::vector<std::size_t> order(variance.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return variance[a] > variance[b]; });
    return order;
}

/// Rows of a matrix [n, columns] in another order.
template <class T>
std::vector<T> in_order(const std::vector<T>& values, const std::vector<std::size_t>& order) {
    const auto columns = values.size() / order.size();
    std::vector<T> result;
    result.reserve(values.size());
    for (const auto row : order)
        result.insert(result.end(), values.begin() + static_cast<std::ptrdiff_t>(row * columns),
                      values.begin() + static_cast<std::ptrdiff_t>((row + 1) * columns));
    return result;
}

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

    template <class T>
    void add(std::span<const T> rows, std::vector<float>& embedding) {
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

/// Whether products of f32, and sums of as many as one of them per row, stay in its range.
bool f32_has_room(const ColumnMeans& means) {
    return means.largest_deviation > 1e-12 && means.largest_deviation < 1e12;
}

/// Whether products in f32 tell the least of these eigenvalues of n vectors of so many terms: what
/// rounding adds to it, seen along its eigenvector, where it averages out over the n vectors and
/// over parts of 256 terms, has to be below a millionth of it. A variance that is measured along
/// the vector is off by some square of that.
bool f32_resolves(const EigenPairs& pairs, std::int64_t n, std::int64_t terms) {
    const double parts = std::max(1.0, static_cast<double>(terms) / 256);
    const double rounding =
        3e-7 * pairs.values.front() / (static_cast<double>(n) * std::sqrt(parts));
    return rounding <= 1e-6 * pairs.values.back();
}

/// Of the products of columns, or of rows.
struct Decomposition {
    EigenPairs pairs;
    std::optional<double> squares = {};  ///< sum over all elements, if it is wanted
};

/// What both ways to the components share.
class Fit {
  public:
    template <class T>
    Fit(const RowTiles<T>& tiles, const PcaOptions& options, const comm::Communicator& comm)
        : comm_(comm),
          rows_(tiles.total_rows()),
          columns_(tiles.columns()),
          squared_covariance_(options.squared_covariance),
          choice_(options.components, std::min(rows_ - 1, columns_)),
          means_(column_means(tiles, comm)) {
        const double deviation = means_.largest_deviation;
        VALIDATE(deviation > 0,
                 "all {} rows of the matrix are equal (there is no variance to keep); check the "
                 "input",
                 rows_);
        VALIDATE(deviation > 1e-30 && deviation < 1e30,
                 "the rows of the matrix differ from their mean by up to {:.3g} (PCA takes 1e-30 "
                 "to 1e30); multiply all values by a power of ten",
                 deviation);
    }

    template <class T, class Rows>
    Pca by_columns(const RowTiles<T>& tiles, const Rows& rows,
                   std::vector<float>* embedding) const {
        if (const auto k = choice_.count(); k && !squared_covariance_ && f32_has_room(means_)) {
            auto [pairs, near] = leading_eigenpairs_of_rows(tiles, means_, *k, comm_);
            if (!pairs) pairs = leading_eigenpairs_of_rounded_rows(tiles, means_, *k, near, comm_);
            if (pairs) return measured(rows, {.pairs = std::move(*pairs)}, embedding);
        }
        const auto scatter = [&]<class P>(P) { return scatter_matrix<P>(tiles, means_, comm_); };
        return measured(rows, decompose(scatter, columns_, rows_), embedding);
    }

    template <class T>
    Pca by_rows(const store::Matrix<T>& matrix, std::vector<float>* embedding) const {
        const ColumnMeans centred{.mean = std::vector<double>(static_cast<std::size_t>(rows_)),
                                  .deviation = {},
                                  .largest_deviation = means_.largest_deviation};
        const auto products = [&]<class P>(P) {
            const auto transposed = centred_transpose<P>(matrix, means_.mean, comm_);
            return scatter_matrix<P>(RowTiles<P>(transposed, comm_), centred, comm_);
        };
        auto found = decompose(products, rows_, columns_);
        found.pairs.vectors = components_from_rows(matrix, means_.mean, found.pairs, comm_);
        return measured(RowsInMemory<T>{matrix}, std::move(found), embedding);
    }

  private:
    /// products(P): of n vectors of so many terms, P float or double.
    template <class Products>
    Decomposition decompose(const Products& products, std::int64_t n, std::int64_t terms) const {
        if (f32_has_room(means_)) {
            auto found = decomposed(products(float{}));
            if (f32_resolves(found.pairs, n, terms)) return found;
        }
        return decomposed(products(double{}));
    }
    Decomposition decomposed(const PackedMatrix& products) const {
        Decomposition found{.pairs = choice_.of(products, comm_)};
        if (squared_covariance_) found.squares = products.sum_of_squares();
        return found;
    }

    /// Variances are measured anew, as mean squares of scores; scores are the embedding, if that is
    /// asked for.
    template <class Rows>
    Pca measured(
        const Rows& rows,
        Decomposition found,  // NOLINT(performance-unnecessary-value-param): it is changed below
        std::vector<float>* embedding) const {
        auto& [values, components] = found.pairs;
        const auto degrees = static_cast<double>(rows_ - 1);
        const auto k = values.size();
        fix_signs(components, static_cast<std::size_t>(columns_));
        const double rounding = 1e-7 * values.front();
        for (auto& value : values) value = 2 * value + rounding;  // a bound of the square sums
        Squares squares(values);
        kernels::kokkos::RowProducts score(means_.mean, components);
        std::vector<double> scores, deviations;
        rows.for_each_piece([&](const auto piece) {
            const auto count = piece.size() / static_cast<std::size_t>(columns_);
            const auto before = deviations.size();
            scores.resize(count * k);
            deviations.resize(before + count);
            score.multiply(piece, scores, std::span(deviations).subspan(before));
            squares.add(scores);
            if (embedding != nullptr)
                embedding->insert(embedding->end(), scores.begin(), scores.end());
        });
        const double trace = comm::ordered_sum(deviations, rows.block().first, comm_);
        const auto unsorted = squares.over_ranks(comm_);
        const auto order = descending(unsorted);
        if (embedding != nullptr) sort_columns(*embedding, order);
        Pca pca{.mean = means_.mean,
                .components = in_order(components, order),
                .explained_variance = in_order(unsorted, order),
                .explained_variance_ratio = {},
                .total_variance = trace / degrees,
                .squared_covariance = found.squares};
        if (pca.squared_covariance) *pca.squared_covariance /= degrees * degrees;
        for (auto& value : pca.explained_variance) {
            pca.explained_variance_ratio.push_back(value / trace);
            value /= degrees;
        }
        return pca;
    }

    static void sort_columns(std::vector<float>& embedding, const std::vector<std::size_t>& order) {
        if (std::ranges::is_sorted(order)) return;
        std::vector<float> row(order.size());
        for (std::size_t at = 0; at < embedding.size(); at += row.size()) {
            for (std::size_t c = 0; c < row.size(); ++c) row[c] = embedding[at + order[c]];
            std::ranges::copy(row, embedding.begin() + static_cast<std::ptrdiff_t>(at));
        }
    }

    const comm::Communicator& comm_;
    std::int64_t rows_, columns_;
    bool squared_covariance_;
    ComponentChoice choice_;
    ColumnMeans means_;
};

bool goes_by_columns(std::int64_t rows, std::int64_t columns) {
    return columns <= std::max(most_columns_of_covariance, rows);
}

template <class T>
Pca fit(const store::Matrix<T>& matrix, const PcaOptions& options, const comm::Communicator& comm,
        std::vector<float>* embedding) {
    const RowTiles<T> tiles(matrix, comm);
    const Fit fit(tiles, options, comm);
    return goes_by_columns(matrix.rows.total, matrix.columns)
               ? fit.by_columns(tiles, RowsInMemory<T>{matrix}, embedding)
               : fit.by_rows(matrix, embedding);
}

template <class T>
Pca fit(const store::MatrixFile& file, const PcaOptions& options, const comm::Communicator& comm,
        std::vector<float>* embedding) {
    if (!goes_by_columns(file.rows(), file.columns()))
        return fit(read_whole<T>(file, comm), options, comm, embedding);
    const RowTiles<T> tiles(file, comm);
    return Fit(tiles, options, comm).by_columns(tiles, RowsInFile<T>{file, comm}, embedding);
}

template <class Rows>
store::Matrix<float> embed(const Rows& rows, const Pca& pca, Whiten whiten) {
    store::Matrix<float> embedding{.rows = rows.block(), .columns = pca.count(), .values = {}};
    Projector projector(pca, whiten);
    rows.for_each_piece([&](const auto piece) { projector.add(piece, embedding.values); });
    return embedding;
}

}  // namespace

template <class T>
Pca fit_pca(const store::Matrix<T>& matrix, const PcaOptions& options,
            const comm::Communicator& comm) {
    return fit(matrix, options, comm, nullptr);
}

// Whitened scores are divided before they are rounded, so they are computed once more.
template <class T>
Reduction fit_and_project(const store::Matrix<T>& matrix, const PcaOptions& options, Whiten whiten,
                          const comm::Communicator& comm) {
    store::Matrix<float> embedding{.rows = matrix.rows, .columns = 0, .values = {}};
    auto pca = fit(matrix, options, comm, whiten == Whiten::off ? &embedding.values : nullptr);
    embedding.columns = pca.count();
    if (whiten == Whiten::on) embedding = project(matrix, pca, whiten);
    return {std::move(pca), std::move(embedding)};
}

Reduction fit_and_project(const store::MatrixFile& file, const PcaOptions& options, Whiten whiten,
                          const comm::Communicator& comm) {
    store::Matrix<float> embedding{
        .rows = comm::row_block(file.rows(), comm), .columns = 0, .values = {}};
    auto* const scores = whiten == Whiten::off ? &embedding.values : nullptr;
    auto pca = file.fits_float() ? fit<float>(file, options, comm, scores)
                                 : fit<double>(file, options, comm, scores);
    embedding.columns = pca.count();
    if (whiten == Whiten::on) embedding = project(file, pca, whiten, comm);
    return {std::move(pca), std::move(embedding)};
}

template <class T>
store::Matrix<float> project(const store::Matrix<T>& matrix, const Pca& pca, Whiten whiten) {
    return embed(RowsInMemory<T>{matrix}, pca, whiten);
}

store::Matrix<float> project(const store::MatrixFile& file, const Pca& pca, Whiten whiten,
                             const comm::Communicator& comm) {
    return file.fits_float() ? embed(RowsInFile<float>{file, comm}, pca, whiten)
                             : embed(RowsInFile<double>{file, comm}, pca, whiten);
}

template Pca fit_pca(const store::Matrix<float>&, const PcaOptions&, const comm::Communicator&);
template Pca fit_pca(const store::Matrix<double>&, const PcaOptions&, const comm::Communicator&);
template store::Matrix<float> project(const store::Matrix<float>&, const Pca&, Whiten);
template store::Matrix<float> project(const store::Matrix<double>&, const Pca&, Whiten);
template Reduction fit_and_project(const store::Matrix<float>&, const PcaOptions&, Whiten,
                                   const comm::Communicator&);
template Reduction fit_and_project(const store::Matrix<double>&, const PcaOptions&, Whiten,
                                   const comm::Communicator&);

}  // namespace nanoatlas::reduce
