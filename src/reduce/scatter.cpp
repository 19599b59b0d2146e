#include "reduce/scatter.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <span>

#include "kernels/kokkos/products.hpp"
#include "store/agree.hpp"

namespace nanoatlas::reduce {
namespace {

// Columns that one thread sums at a time: their sums and limits stay in the first cache.
constexpr std::size_t strip = 256;

/// Sums, smallest and largest values of a strip of columns over rows that are `stride` apart.
template <class T>
struct StripSums {
    double sum[strip] = {};
    T smallest[strip], largest[strip];

    StripSums(std::span<const T> from, std::size_t stride, std::size_t width) {
        std::copy_n(from.data(), width, smallest);
        std::copy_n(from.data(), width, largest);
        for (std::size_t at = 0; at < from.size(); at += stride) {
            const T* row = from.data() + at;
            for (std::size_t j = 0; j < width; ++j) {
                sum[j] += row[j];
                smallest[j] = row[j] < smallest[j] ? row[j] : smallest[j];
                largest[j] = row[j] > largest[j] ? row[j] : largest[j];
            }
        }
    }
};

/// The sums of each tile's columns, and how far the columns reach.
template <class T>
struct ColumnSums {
    std::vector<double> sums;          ///< [tiles, columns]
    std::vector<double> below, above;  ///< [columns] -smallest, largest

    explicit ColumnSums(const RowTiles<T>& tiles)
        : below(static_cast<std::size_t>(tiles.columns()),
                -std::numeric_limits<double>::infinity()),
          above(below) {
        std::vector<T> room;
        for (std::int64_t t = 0; t < tiles.count(); ++t) add(tiles.rows(t, room));
    }

  private:
    void add(std::span<const T> rows) {
        const auto columns = below.size(), before = sums.size();
        sums.resize(before + columns);
#pragma omp parallel for
        for (std::size_t first = 0; first < columns; first += strip) {
            const auto width = std::min(strip, columns - first);
            const StripSums<T> part(rows.subspan(first), columns, width);
            for (std::size_t j = 0; j < width; ++j) {
                sums[before + first + j] = part.sum[j];
                below[first + j] = std::max<double>(below[first + j], -part.smallest[j]);
                above[first + j] = std::max<double>(above[first + j], part.largest[j]);
            }
        }
    }
};

}  // namespace

template <class T>
ColumnMeans column_means(const RowTiles<T>& tiles, const comm::Communicator& comm) {
    std::optional<ColumnSums<T>> own;
    store::agree_on_input(comm, [&] { own.emplace(tiles); });
    auto& [sums, below, above] = *own;
    comm.max(std::span<double>(below));
    comm.max(std::span<double>(above));

    const auto columns = below.size();
    const auto rows = static_cast<double>(tiles.total_rows());
    ColumnMeans means{.mean = std::vector<double>(columns), .deviation = {}};
    const Quantum quantum(rows * std::max(*std::max_element(below.begin(), below.end()),
                                          *std::max_element(above.begin(), above.end())));
    for (std::size_t i = 0; i < sums.size(); ++i) means.mean[i % columns] += quantum.round(sums[i]);
    comm.sum(std::span<double>(means.mean));
    for (std::size_t j = 0; j < columns; ++j) {
        // The mean of equal values is that value, without the rounding of their sum.
        means.mean[j] = above[j] == -below[j] ? above[j] : means.mean[j] / rows;
        means.deviation.push_back(std::max(below[j] + means.mean[j], above[j] - means.mean[j]));
    }
    means.largest_deviation = *std::ranges::max_element(means.deviation);
    return means;
}

template <class P, class T>
PackedMatrix scatter_matrix(const RowTiles<T>& tiles, const ColumnMeans& means,
                            const comm::Communicator& comm) {
    const Quantum quantum(static_cast<double>(tiles.total_rows()) * means.largest_deviation *
                          means.largest_deviation);
    kernels::kokkos::ColumnProducts<P> products(means.mean, quantum.anchor());
    store::agree_on_input(comm, [&] {
        std::vector<T> room;
        for (std::int64_t t = 0; t < tiles.count(); ++t) products.add(tiles.rows(t, room));
    });
    PackedMatrix matrix{.n = tiles.columns(), .lower = products.sums()};
    comm.sum(std::span<double>(matrix.lower));
    return matrix;
}

template ColumnMeans column_means(const RowTiles<float>&, const comm::Communicator&);
template ColumnMeans column_means(const RowTiles<double>&, const comm::Communicator&);
template PackedMatrix scatter_matrix<std::int16_t>(const RowTiles<float>&, const ColumnMeans&,
                                                   const comm::Communicator&);
template PackedMatrix scatter_matrix<std::int16_t>(const RowTiles<double>&, const ColumnMeans&,
                                                   const comm::Communicator&);
template PackedMatrix scatter_matrix<float>(const RowTiles<float>&, const ColumnMeans&,
                                            const comm::Communicator&);
template PackedMatrix scatter_matrix<float>(const RowTiles<double>&, const ColumnMeans&,
                                            const comm::Communicator&);
template PackedMatrix scatter_matrix<double>(const RowTiles<float>&, const ColumnMeans&,
                                             const comm::Communicator&);
template PackedMatrix scatter_matrix<double>(const RowTiles<double>&, const ColumnMeans&,
                                             const comm::Communicator&);

EigenPairs leading_eigenpairs(const PackedMatrix& matrix, std::int64_t k,
                              const comm::Communicator& comm, const EigenSearch& search) {
    EigenPairs pairs;
    comm.on_root([&] { pairs = leading_eigenpairs(matrix.whole(), matrix.n, k, search); });
    broadcast(pairs, matrix.n, comm);
    return pairs;
}

double PackedMatrix::trace() const {
    double trace = 0;
    for (std::int64_t i = 0; i < n; ++i) trace += diagonal(i);
    return trace;
}

double PackedMatrix::sum_of_squares() const {
    double squares = 0, of_diagonal = 0;
    for (const double value : lower) squares += value * value;
    for (std::int64_t i = 0; i < n; ++i) of_diagonal += diagonal(i) * diagonal(i);
    return 2 * squares - of_diagonal;
}

std::vector<double> PackedMatrix::whole() const {
    std::vector<double> matrix(static_cast<std::size_t>(n * n));
    constexpr std::int64_t block = 8;  // a cache line: rows are a power of two apart at times
#pragma omp parallel for schedule(dynamic)
    for (std::int64_t first = 0; first < n; first += block)
        for (std::int64_t left = 0; left <= first; left += block)
            for (std::int64_t i = first; i < std::min(first + block, n); ++i)
                for (std::int64_t j = left; j < std::min(left + block, i + 1); ++j)
                    matrix[static_cast<std::size_t>(i * n + j)] =
                        matrix[static_cast<std::size_t>(j * n + i)] =
                            lower[static_cast<std::size_t>(i * (i + 1) / 2 + j)];
    return matrix;
}

}  // namespace nanoatlas::reduce
