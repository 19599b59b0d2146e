#include "reduce/scatter.hpp"

#include <algorithm>
#include <limits>
#include <span>

#include "kernels/kokkos/products.hpp"

namespace nanoatlas::reduce {
namespace {

// Columns that one thread sums at a time.
constexpr std::int64_t strip = 64;

/// Sums, smallest and largest values of a strip of columns over the rows of one tile.
struct StripSums {
    double sum[strip] = {};
    float smallest[strip], largest[strip];

    StripSums(const RowTiles& tiles, std::int64_t t, std::int64_t first, std::int64_t width) {
        std::copy_n(tiles.row(tiles.begin_of(t)) + first, width, smallest);
        std::copy_n(smallest, width, largest);
        for (std::int64_t i = tiles.begin_of(t); i < tiles.end_of(t); ++i) {
            const float* row = tiles.row(i) + first;
            for (std::int64_t j = 0; j < width; ++j) {
                sum[j] += row[j];
                smallest[j] = row[j] < smallest[j] ? row[j] : smallest[j];
                largest[j] = row[j] > largest[j] ? row[j] : largest[j];
            }
        }
    }
};

/// tile[i, j] = x - mean, in f32.
void centre(const RowTiles& tiles, std::int64_t t, const std::vector<double>& mean,
            std::vector<float>& tile) {
    const auto begin = tiles.begin_of(t), end = tiles.end_of(t), columns = tiles.columns();
    tile.resize(static_cast<std::size_t>((end - begin) * columns));
#pragma omp parallel for
    for (std::int64_t i = begin; i < end; ++i) {
        const float* row = tiles.row(i);
        float* out = tile.data() + (i - begin) * columns;
        for (std::int64_t j = 0; j < columns; ++j)
            out[j] = static_cast<float>(row[j] - mean[static_cast<std::size_t>(j)]);
    }
}

void copy_lower_to_upper(std::vector<double>& matrix, std::int64_t n) {
    constexpr std::int64_t block = 64;
#pragma omp parallel for schedule(dynamic)
    for (std::int64_t first = 0; first < n; first += block)
        for (std::int64_t left = 0; left <= first; left += block)
            for (std::int64_t i = first; i < std::min(first + block, n); ++i)
                for (std::int64_t j = left; j < std::min(left + block, i); ++j)
                    matrix[static_cast<std::size_t>(j * n + i)] =
                        matrix[static_cast<std::size_t>(i * n + j)];
}

}  // namespace

ColumnMeans column_means(const RowTiles& tiles, const comm::Communicator& comm) {
    const auto columns = static_cast<std::size_t>(tiles.columns());
    constexpr double infinity = std::numeric_limits<double>::infinity();
    std::vector<double> sums(columns * static_cast<std::size_t>(tiles.count()));
    std::vector<double> below(columns, -infinity), above(columns, -infinity);  // -min, max
    for (std::int64_t t = 0; t < tiles.count(); ++t) {
#pragma omp parallel for
        for (std::int64_t first = 0; first < tiles.columns(); first += strip) {
            const auto width = std::min(strip, tiles.columns() - first);
            const StripSums part(tiles, t, first, width);
            std::copy_n(part.sum, width, sums.begin() + t * tiles.columns() + first);
            for (std::int64_t j = 0; j < width; ++j) {
                const auto column = static_cast<std::size_t>(first + j);
                below[column] = std::max<double>(below[column], -part.smallest[j]);
                above[column] = std::max<double>(above[column], part.largest[j]);
            }
        }
    }
    comm.max(std::span<double>(below));
    comm.max(std::span<double>(above));

    const auto rows = static_cast<double>(tiles.total_rows());
    ColumnMeans means{.mean = std::vector<double>(columns)};
    const Quantum quantum(rows * std::max(*std::max_element(below.begin(), below.end()),
                                          *std::max_element(above.begin(), above.end())));
    for (std::size_t i = 0; i < sums.size(); ++i) means.mean[i % columns] += quantum.round(sums[i]);
    comm.sum(std::span<double>(means.mean));
    for (std::size_t j = 0; j < columns; ++j) {
        // The mean of equal values is that value, without the rounding of their sum.
        means.mean[j] = above[j] == -below[j] ? above[j] : means.mean[j] / rows;
        means.largest_deviation =
            std::max({means.largest_deviation, below[j] + means.mean[j], above[j] - means.mean[j]});
    }
    return means;
}

std::vector<double> scatter_matrix(const RowTiles& tiles, const ColumnMeans& means,
                                   const comm::Communicator& comm) {
    const auto columns = tiles.columns();
    const Quantum quantum(static_cast<double>(tiles.total_rows()) * means.largest_deviation *
                          means.largest_deviation);
    std::vector<double> sums(static_cast<std::size_t>(columns * columns));
    std::vector<float> tile;
    for (std::int64_t t = 0; t < tiles.count(); ++t) {
        centre(tiles, t, means.mean, tile);
        kernels::kokkos::add_column_products(tile, static_cast<std::size_t>(columns),
                                             quantum.anchor(), sums);
    }
    comm.sum(std::span<double>(sums));
    copy_lower_to_upper(sums, columns);
    return sums;
}

}  // namespace nanoatlas::reduce
