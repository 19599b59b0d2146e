#include "kernels/kokkos/distance_sums.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/kokkos/views.hpp"

namespace nanoatlas::kernels::kokkos {
namespace {

// The squared distances of `height` rows to `width` rows at a time stay in registers; `rows` of a
// share each tile of b while it is in the first cache.
constexpr std::size_t width = 16, height = 4, rows = 64;
using Tile = double[height][width];

/// b in tiles of 16 rows, each transposed: tile t holds [columns, 16], the last filled up with 0.
std::vector<double> transposed_tiles(std::span<const double> b, std::size_t columns) {
    const auto n = b.size() / columns;
    std::vector<double> tiles((n + width - 1) / width * width * columns);
    for (std::size_t j = 0; j < n; ++j)
        for (std::size_t d = 0; d < columns; ++d)
            tiles[(j / width * columns + d) * width + j % width] = b[j * columns + d];
    return tiles;
}

KOKKOS_INLINE_FUNCTION
void squared_distances(const double* const (&a)[height], const double* tile, std::size_t columns,
                       Tile& squares) {
    for (auto& row : squares)
        for (auto& value : row) value = 0;
    for (std::size_t d = 0; d < columns; ++d)
        for (std::size_t r = 0; r < height; ++r)
            for (std::size_t w = 0; w < width; ++w) {
                const double difference = a[r][d] - tile[d * width + w];
                squares[r][w] += difference * difference;
            }
}

/// Calls visit(i, first, count, squares of i to rows first.. of b) for all pairs of rows; rows of a
/// in parallel, rows of b ascending.
template <class Visit>
void for_each_distance(const char* name, std::span<const double> a, std::span<const double> b,
                       std::size_t columns, const Visit& visit) {
    const auto m = a.size() / columns, n = b.size() / columns;
    const auto packed = transposed_tiles(b, columns);
    const auto* const tiles = packed.data();
    const auto* const first_row = a.data();
    for_each_row(
        name, (m + rows - 1) / rows, KOKKOS_LAMBDA(const std::size_t block) {
            const auto end = std::min(m, (block + 1) * rows);
            for (std::size_t t = 0; t * width < n; ++t)
                for (std::size_t i = block * rows; i < end; i += height) {
                    const double* here[height];
                    for (std::size_t r = 0; r < height; ++r)
                        here[r] = first_row + std::min(i + r, m - 1) * columns;
                    Tile squares;
                    squared_distances(here, tiles + t * width * columns, columns, squares);
                    for (std::size_t r = 0; r < std::min(height, end - i); ++r)
                        visit(i + r, t * width, std::min(width, n - t * width), squares[r]);
                }
        });
}

}  // namespace

void add_distances_by_label(std::span<const double> a, std::span<const double> b,
                            std::size_t columns, std::span<const std::int32_t> label_of_b,
                            std::size_t labels, std::span<double> sums) {
    if (a.empty() || b.empty()) return;
    for_each_distance("cluster/silhouette", a, b, columns,
                      [=](std::size_t i, std::size_t first, std::size_t count, double* squares) {
                          for (std::size_t w = 0; w < width; ++w)
                              squares[w] = std::sqrt(squares[w]);
                          for (std::size_t w = 0; w < count; ++w)
                              sums[i * labels + static_cast<std::size_t>(label_of_b[first + w])] +=
                                  squares[w];
                      });
}

void update_nearest(std::span<const double> a, std::span<const std::int64_t> group_of_a,
                    std::span<const double> b, std::span<const std::int64_t> group_of_b,
                    std::size_t columns, std::span<std::int64_t> nearest,
                    std::span<double> squared_distance) {
    if (a.empty() || b.empty()) return;
    for_each_distance(
        "cluster/nearest", a, b, columns,
        [=](std::size_t i, std::size_t first, std::size_t count, double* squares) {
            for (std::size_t w = 0; w < count; ++w) {
                if (squares[w] >= squared_distance[i] || group_of_b[first + w] == group_of_a[i])
                    continue;
                squared_distance[i] = squares[w];
                nearest[i] = static_cast<std::int64_t>(first + w);
            }
        });
}

}  // namespace nanoatlas::kernels::kokkos
