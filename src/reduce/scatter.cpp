#include "reduce/scatter.hpp"

#include <cblas.h>

#include <algorithm>
#include <limits>
#include <span>

namespace nanoatlas::reduce {
namespace {

// Columns of the scatter matrix that one thread works on at a time: its f32 sums stay in cache.
constexpr std::int64_t panel = 128;

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
#pragma omp parallel for
    for (std::int64_t i = begin; i < end; ++i) {
        const float* row = tiles.row(i);
        float* out = tile.data() + (i - begin) * columns;
        for (std::int64_t j = 0; j < columns; ++j)
            out[j] = static_cast<float>(row[j] - mean[static_cast<std::size_t>(j)]);
    }
}

/// Adds the tile's products to columns [0, row + rows of the panel) of rows [first, first + panel).
void add_panel(const std::vector<float>& tile, std::int64_t tile_rows, std::int64_t columns,
               std::int64_t first, const Quantum& quantum, std::vector<float>& products,
               std::vector<double>& sums) {
    const auto height = std::min(panel, columns - first), width = first + height;
    // One call by one thread (BLAS does not start threads within a parallel region), so that its
    // order of summation depends on the shapes alone.
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, static_cast<int>(height),
                static_cast<int>(width), static_cast<int>(tile_rows), 1.0f, tile.data() + first,
                static_cast<int>(columns), tile.data(), static_cast<int>(columns), 0.0f,
                products.data(), static_cast<int>(width));
    for (std::int64_t i = 0; i < height; ++i)
        for (std::int64_t j = 0; j < width; ++j)
            sums[static_cast<std::size_t>((first + i) * columns + j)] +=
                quantum.round(products[static_cast<std::size_t>(i * width + j)]);
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
        means.mean[j] /= rows;
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
    std::vector<float> tile(static_cast<std::size_t>(RowTiles::tile_rows * columns));
    for (std::int64_t t = 0; t < tiles.count(); ++t) {
        centre(tiles, t, means.mean, tile);
        const auto rows = tiles.end_of(t) - tiles.begin_of(t);
        const auto panels = (columns + panel - 1) / panel;
#pragma omp parallel
        {
            std::vector<float> products(static_cast<std::size_t>(panel * columns));
#pragma omp for schedule(dynamic)
            for (std::int64_t p = 0; p < panels; ++p)  // the longest first
                add_panel(tile, rows, columns, (panels - 1 - p) * panel, quantum, products, sums);
        }
    }
    comm.sum(std::span<double>(sums));
    copy_lower_to_upper(sums, columns);
    return sums;
}

}  // namespace nanoatlas::reduce
