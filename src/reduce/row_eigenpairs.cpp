#include "reduce/row_eigenpairs.hpp"

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "kernels/kokkos/axis_scatter.hpp"
#include "reduce/subspace_iteration.hpp"
#include "store/agree.hpp"

namespace nanoatlas::reduce {
namespace {

// Of a residual, over the distance of an eigenvalue from those left out.
constexpr double tolerance = 1e-6;
// What the eigenvectors of the sample miss of those of all rows, roughly.
constexpr double error_of_sample = 1e-2;
constexpr std::int64_t sample_rows = 1024, fewest_rows = 8 * sample_rows;
// An element of a product of rows with vectors takes that much longer than one of the matrix.
constexpr double relative_cost = 1.25;
// Products beyond those foreseen, before it is given up.
constexpr int spare_products = 2;

/// As many products with the rows cost as much as the matrix.
double products_of_equal_cost(std::int64_t columns, std::int64_t k) {
    const auto vectors = static_cast<double>(SubspaceIteration::block_size(columns, k));
    return static_cast<double>(columns) / (4 * relative_cost * vectors);
}

/// The trace of the scatter matrix, and rows at equal distances.
struct Survey {
    double trace = 0;
    std::vector<float> sample;  ///< [at least sample_rows, columns], on the root

    Survey(const RowTiles& tiles, const ColumnMeans& means, const comm::Communicator& comm)
        : mean_(means.mean), stride_(tiles.total_rows() / sample_rows) {
        const Quantum quantum(static_cast<double>(tiles.total_rows() * tiles.columns()) *
                              means.largest_deviation * means.largest_deviation);
        std::vector<float> own;
        store::agree_on_input(comm, [&] {
            std::vector<float> room;
            for (std::int64_t t = 0; t < tiles.count(); ++t) {
                const auto rows = tiles.rows(t, room);
                trace += quantum.round(square_deviations(rows));
                pick(rows, tiles.begin_of(t), own);
            }
        });
        trace = comm.sum(trace);
        sample = comm.gather(std::span<const float>(own));
    }

  private:
    double square_deviations(std::span<const float> rows) const {
        std::vector<double> of_row(rows.size() / mean_.size());
#pragma omp parallel for
        for (std::size_t i = 0; i < of_row.size(); ++i) {
            const float* row = rows.data() + i * mean_.size();
            double sum = 0;
#pragma omp simd reduction(+ : sum)
            for (std::size_t j = 0; j < mean_.size(); ++j)
                sum += (row[j] - mean_[j]) * (row[j] - mean_[j]);
            of_row[i] = sum;
        }
        return std::accumulate(of_row.begin(), of_row.end(), 0.0);
    }
    void pick(std::span<const float> rows, std::int64_t first_row, std::vector<float>& own) const {
        const auto width = mean_.size();
        for (std::size_t i = 0; i < rows.size() / width; ++i)
            if ((first_row + static_cast<std::int64_t>(i)) % stride_ == 0) {
                const auto row = rows.subspan(i * width, width);
                own.insert(own.end(), row.begin(), row.end());
            }
    }

    const std::vector<double>& mean_;
    std::int64_t stride_;
};

/// The scatter matrix of a few rows, on one rank, as large as that of `total` such rows.
class SampleScatter {
  public:
    SampleScatter(std::span<const float> rows, const std::vector<double>& mean, std::int64_t total)
        : rows_(static_cast<int>(rows.size() / mean.size())),
          columns_(static_cast<int>(mean.size())),
          values_(rows.size()) {
        const double scale = std::sqrt(static_cast<double>(total) / rows_);
#pragma omp parallel for
        for (std::size_t i = 0; i < values_.size(); ++i)
            values_[i] = scale * (rows[i] - mean[i % mean.size()]);
    }

    void operator()(const VectorBlock& in, VectorBlock& out) const {
        constexpr int strip = 128;
        const auto vectors = static_cast<int>(in.size() / static_cast<std::size_t>(columns_));
        std::vector<double> scores(static_cast<std::size_t>(vectors) *
                                   static_cast<std::size_t>(rows_));
#pragma omp parallel for schedule(dynamic)
        for (int first = 0; first < rows_; first += strip)
            cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, vectors,
                        std::min(strip, rows_ - first), columns_, 1.0, in.data(), columns_,
                        values_.data() + static_cast<std::ptrdiff_t>(first) * columns_, columns_,
                        0.0, scores.data() + first, rows_);
        multiply_strips(vectors, columns_, rows_, scores.data(), values_.data(), out.data());
    }

  private:
    int rows_, columns_;
    std::vector<double> values_;
};

/// The scatter matrix of all rows, over all ranks: the root asks for products, the others serve.
class RowScatter {
  public:
    RowScatter(const RowTiles& tiles, const ColumnMeans& means, std::int64_t vectors,
               const comm::Communicator& comm)
        : tiles_(tiles),
          means_(means),
          size_(static_cast<std::size_t>(vectors * tiles.columns())),
          comm_(comm) {}

    void operator()(const VectorBlock& in, VectorBlock& out) const {
        comm_.broadcast(true);
        out = multiply(in);
    }
    void dismiss() const { comm_.broadcast(false); }
    void serve() const {
        while (comm_.broadcast(false)) multiply(VectorBlock(size_));
    }

  private:
    VectorBlock multiply(VectorBlock axes) const {
        comm_.broadcast(std::span<double>(axes));
        kernels::kokkos::AxisScatter scatter(means_.mean, axes, quantum(axes).anchor());
        store::agree_on_input(comm_, [&] {
            std::vector<float> room;
            for (std::int64_t t = 0; t < tiles_.count(); ++t) scatter.add(tiles_.rows(t, room));
        });
        auto sums = scatter.sums();
        comm_.sum(std::span<double>(sums));
        return sums;
    }
    /// A row's score is at most its length times the axis'.
    Quantum quantum(const VectorBlock& axes) const {
        const auto columns = means_.mean.size();
        double longest = 0;
        for (std::size_t at = 0; at < axes.size(); at += columns) {
            const auto axis = std::span(axes).subspan(at, columns);
            longest =
                std::max(longest, std::inner_product(axis.begin(), axis.end(), axis.begin(), 0.0));
        }
        return Quantum(2 * static_cast<double>(tiles_.total_rows()) * means_.largest_deviation *
                       means_.largest_deviation *
                       std::sqrt(static_cast<double>(columns) * longest));
    }

    const RowTiles& tiles_;
    const ColumnMeans& means_;
    std::size_t size_;
    const comm::Communicator& comm_;
};

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

std::optional<RowEigenPairs> leading_eigenpairs_of_rows(const RowTiles& tiles,
                                                        const ColumnMeans& means, std::int64_t k,
                                                        const comm::Communicator& comm) {
    const auto columns = tiles.columns();
    const double most_products = products_of_equal_cost(columns, k);
    if (tiles.total_rows() < fewest_rows || most_products < 2) return std::nullopt;

    const Survey survey(tiles, means, comm);
    RowEigenPairs result{.pairs = {}, .trace = survey.trace};
    const RowScatter scatter(tiles, means, SubspaceIteration::block_size(columns, k), comm);
    const auto find = [&] {
        SubspaceIteration sample(SampleScatter(survey.sample, means.mean, tiles.total_rows()),
                                 columns, k);
        if (!sample.run(6, share_of_gap(error_of_sample))) return false;
        const double needed = products_needed(sample.values(), static_cast<std::size_t>(k),
                                              survey.trace, tiles.total_rows());
        if (needed > most_products) return false;
        SubspaceIteration iteration(std::cref(scatter), columns, k, sample.block());
        if (!iteration.run(static_cast<int>(needed) + spare_products, share_of_gap(tolerance)))
            return false;
        result.pairs = iteration.pairs();
        return true;
    };
    bool found = false;
    if (comm.is_root()) {
        found = find();
        scatter.dismiss();
    } else {
        scatter.serve();
    }
    if (!comm.broadcast(found)) return std::nullopt;
    broadcast(result.pairs, columns, comm);
    return result;
}

}  // namespace nanoatlas::reduce
