#include "reduce/pca.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <span>

#include "base/check.hpp"
#include "base/log.hpp"
#include "base/number.hpp"
#include "kernels/kokkos/products.hpp"
#include "reduce/eigen.hpp"
#include "reduce/products_of_rows.hpp"
#include "reduce/row_eigenpairs.hpp"
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

    /// Their number, unless it depends on all eigenvalues.
    std::optional<std::int64_t> count() const {
        return wanted_ < 1 ? std::nullopt : std::optional(static_cast<std::int64_t>(wanted_));
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
    broadcast(pairs, matrix.n, comm);
    return pairs;
}

store::Matrix<float> read_whole(const store::MatrixFile& file, const comm::Communicator& comm) {
    store::Matrix<float> matrix{
        .rows = comm::row_block(file.rows(), comm), .columns = file.columns(), .values = {}};
    store::agree_on_input(
        comm, [&] { matrix.values = file.read<float>(matrix.rows.first, matrix.rows.count); });
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

/// Rows that are projected at a time.
constexpr auto rows_at_once = RowTiles::tile_rows;

/// This rank's rows of a matrix in memory.
struct RowsInMemory {
    const store::Matrix<float>& matrix;

    comm::RowBlock block() const { return matrix.rows; }
    /// use(rows), in pieces.
    template <class Use>
    void for_each_piece(const Use& use) const {
        const auto values = std::span<const float>(matrix.values);
        for (std::int64_t first = 0; first < matrix.rows.count; first += rows_at_once) {
            const auto count = std::min(rows_at_once, matrix.rows.count - first);
            use(values.subspan(static_cast<std::size_t>(first * matrix.columns),
                               static_cast<std::size_t>(count * matrix.columns)));
        }
    }
};

/// Those of a matrix that stays in its file. Collective.
struct RowsInFile {
    const store::MatrixFile& file;
    const comm::Communicator& comm;

    comm::RowBlock block() const { return comm::row_block(file.rows(), comm); }
    template <class Use>
    void for_each_piece(const Use& use) const {
        store::agree_on_input(comm, [&] {
            for (auto first = block().first; first < block().end(); first += rows_at_once) {
                const auto rows =
                    file.read<float>(first, std::min(rows_at_once, block().end() - first));
                use(std::span<const float>(rows));
            }
        });
    }
};

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

/// What both ways to the components share.
class Fit {
  public:
    Fit(const RowTiles& tiles, const PcaOptions& options, const comm::Communicator& comm)
        : comm_(comm),
          rows_(tiles.total_rows()),
          columns_(tiles.columns()),
          squared_covariance_(options.squared_covariance),
          chooser_(options.components, std::min(rows_ - 1, columns_)),
          means_(column_means(tiles, comm)) {
        VALIDATE(means_.largest_deviation > 0,
                 "all {} rows of the matrix are equal (there is no variance to keep); check the "
                 "input",
                 rows_);
    }

    template <class Rows>
    Pca by_columns(const RowTiles& tiles, const Rows& rows, std::vector<float>* embedding) const {
        if (const auto k = chooser_.count(); k && !squared_covariance_)
            if (auto found = leading_eigenpairs_of_rows(tiles, means_, *k, comm_))
                return pca(rows, {.trace = found->trace}, std::move(found->pairs), embedding);
        const auto scatter = scatter_matrix(tiles, means_, comm_);
        return pca(rows, sums_of(scatter), eigenpairs_on_all(scatter, chooser_, comm_), embedding);
    }

    Pca by_rows(const store::Matrix<float>& matrix, std::vector<float>* embedding) const {
        const auto transposed = centred_transpose(matrix, means_.mean, comm_);
        const ColumnMeans centred{.mean = std::vector<double>(static_cast<std::size_t>(rows_)),
                                  .largest_deviation = means_.largest_deviation};
        const auto products = scatter_matrix(RowTiles(transposed, comm_), centred, comm_);
        auto pairs = eigenpairs_on_all(products, chooser_, comm_);
        pairs.vectors = components_from_rows(matrix, means_.mean, pairs, comm_);
        return pca(RowsInMemory{matrix}, sums_of(products), std::move(pairs), embedding);
    }

  private:
    /// Of the products of columns, or of rows: both have the same.
    struct ProductSums {
        double trace;
        std::optional<double> squares = {};  ///< of all elements
    };
    ProductSums sums_of(const PackedMatrix& products) const {
        ProductSums sums{.trace = products.trace()};
        if (squared_covariance_) sums.squares = products.sum_of_squares();
        return sums;
    }

    /// pairs: of the scatter matrix. Variances are measured anew, as mean squares of scores; scores
    /// are the embedding, if that is asked for.
    template <class Rows>
    Pca pca(const Rows& rows, const ProductSums& products,
            EigenPairs pairs,  // NOLINT(performance-unnecessary-value-param): it is changed below
            std::vector<float>* embedding) const {
        auto& [values, components] = pairs;
        const auto degrees = static_cast<double>(rows_ - 1);
        const double trace = products.trace;
        const auto k = values.size();
        fix_signs(components, static_cast<std::size_t>(columns_));
        for (auto& value : values) value = 2 * value + 1e-4 * trace;  // a bound of the square sums
        Squares squares(values);
        kernels::kokkos::RowProducts score(means_.mean, components);
        std::vector<double> scores;
        rows.for_each_piece([&](std::span<const float> piece) {
            scores.resize(piece.size() / static_cast<std::size_t>(columns_) * k);
            score.multiply(piece, scores);
            squares.add(scores);
            if (embedding != nullptr)
                embedding->insert(embedding->end(), scores.begin(), scores.end());
        });
        const auto unsorted = squares.over_ranks(comm_);
        const auto order = descending(unsorted);
        if (embedding != nullptr) sort_columns(*embedding, order);
        Pca pca{.mean = means_.mean,
                .components = in_order(components, order),
                .explained_variance = in_order(unsorted, order),
                .explained_variance_ratio = {},
                .total_variance = trace / degrees,
                .squared_covariance = products.squares};
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
    Chooser chooser_;
    ColumnMeans means_;
};

bool goes_by_columns(std::int64_t rows, std::int64_t columns) {
    return columns <= std::max(most_columns_of_covariance, rows);
}

Pca fit(const store::Matrix<float>& matrix, const PcaOptions& options,
        const comm::Communicator& comm, std::vector<float>* embedding) {
    const RowTiles tiles(matrix, comm);
    const Fit fit(tiles, options, comm);
    return goes_by_columns(matrix.rows.total, matrix.columns)
               ? fit.by_columns(tiles, RowsInMemory{matrix}, embedding)
               : fit.by_rows(matrix, embedding);
}

Pca fit(const store::MatrixFile& file, const PcaOptions& options, const comm::Communicator& comm,
        std::vector<float>* embedding) {
    if (!goes_by_columns(file.rows(), file.columns()))
        return fit(read_whole(file, comm), options, comm, embedding);
    const RowTiles tiles(file, comm);
    return Fit(tiles, options, comm).by_columns(tiles, RowsInFile{file, comm}, embedding);
}

template <class Rows>
store::Matrix<float> embed(const Rows& rows, const Pca& pca, Whiten whiten) {
    store::Matrix<float> embedding{.rows = rows.block(), .columns = pca.count(), .values = {}};
    Projector projector(pca, whiten);
    rows.for_each_piece(
        [&](std::span<const float> piece) { projector.add(piece, embedding.values); });
    return embedding;
}

}  // namespace

Pca fit_pca(const store::Matrix<float>& matrix, const PcaOptions& options,
            const comm::Communicator& comm) {
    return fit(matrix, options, comm, nullptr);
}

// Whitened scores are divided before they are rounded, so they are computed once more.
Reduction fit_and_project(const store::Matrix<float>& matrix, const PcaOptions& options,
                          Whiten whiten, const comm::Communicator& comm) {
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
    auto pca = fit(file, options, comm, whiten == Whiten::off ? &embedding.values : nullptr);
    embedding.columns = pca.count();
    if (whiten == Whiten::on) embedding = project(file, pca, whiten, comm);
    return {std::move(pca), std::move(embedding)};
}

store::Matrix<float> project(const store::Matrix<float>& matrix, const Pca& pca, Whiten whiten) {
    return embed(RowsInMemory{matrix}, pca, whiten);
}

store::Matrix<float> project(const store::MatrixFile& file, const Pca& pca, Whiten whiten,
                             const comm::Communicator& comm) {
    return embed(RowsInFile{file, comm}, pca, whiten);
}

}  // namespace nanoatlas::reduce
