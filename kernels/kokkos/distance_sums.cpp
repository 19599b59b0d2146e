#include "kernels/kokkos/distance_sums.hpp"

#include <Kokkos_Core.hpp>

#include "kernels/kokkos/views.hpp"

namespace nanoatlas::kernels::kokkos {
namespace {

// The squared distances of `height` rows to `width` rows at a time stay in registers; `rows` of a
// share each tile of b while it is in the first cache.
constexpr std::size_t width = 16, height = 4, rows = 64;
using Tile = double[height][width];

/// b in tiles of 16 rows, each transposed: tile t holds [columns, 16], the last filled up with 0.
DeviceView<double> transposed_tiles(std::span<const double> b, std::size_t columns) {
    const auto n = b.size() / columns;
    const DeviceView<double> tiles("tiles", (n + width - 1) / width * width * columns);
    const auto from = on_device(b);
    for_each_row(
        "cluster/transpose", n, KOKKOS_LAMBDA(const std::size_t j) {
            for (std::size_t d = 0; d < columns; ++d)
                tiles((j / width * columns + d) * width + j % width) = from(j * columns + d);
        });
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
    const auto tiles = transposed_tiles(b, columns);
    const auto from = on_device(a);
    for_each_row(
        name, (m + rows - 1) / rows, KOKKOS_LAMBDA(const std::size_t block) {
            const auto end = (block + 1) * rows < m ? (block + 1) * rows : m;
            for (std::size_t t = 0; t * width < n; ++t)
                for (std::size_t i = block * rows; i < end; i += height) {
                    const double* here[height];
                    for (std::size_t r = 0; r < height; ++r)
                        here[r] = from.data() + (i + r < m ? i + r : m - 1) * columns;
                    Tile squares;
                    squared_distances(here, tiles.data() + t * width * columns, columns, squares);
                    const auto count = n - t * width < width ? n - t * width : width;
                    for (std::size_t r = 0; r < height && i + r < end; ++r)
                        visit(i + r, t * width, count, squares[r]);
                }
        });
}

}  // namespace

void add_distances_by_label(std::span<const double> a, std::span<const double> b,
                            std::size_t columns, std::span<const std::int32_t> label_of_b,
                            std::size_t labels, std::span<double> sums) {
    if (a.empty() || b.empty()) return;
    const auto label = on_device(label_of_b);
    const auto to = on_device_for_update(sums);
    for_each_distance(
        "cluster/silhouette", a, b, columns,
        KOKKOS_LAMBDA(std::size_t i, std::size_t first, std::size_t count, double* squares) {
            for (std::size_t w = 0; w < width; ++w) squares[w] = Kokkos::sqrt(squares[w]);
            for (std::size_t w = 0; w < count; ++w)
                to(i * labels + static_cast<std::size_t>(label(first + w))) += squares[w];
        });
    copy_back(to, sums);
}

void update_nearest(std::span<const double> a, std::span<const std::int64_t> group_of_a,
                    std::span<const double> b, std::span<const std::int64_t> group_of_b,
                    std::size_t columns, std::span<std::int64_t> nearest,
                    std::span<double> squared_distance) {
    if (a.empty() || b.empty()) return;
    const auto group_a = on_device(group_of_a), group_b = on_device(group_of_b);
    const auto place = on_device_for_update(nearest);
    const auto least = on_device_for_update(squared_distance);
    for_each_distance(
        "cluster/nearest", a, b, columns,
        KOKKOS_LAMBDA(std::size_t i, std::size_t first, std::size_t count, const double* squares) {
            for (std::size_t w = 0; w < count; ++w) {
                if (squares[w] >= least(i) || group_b(first + w) == group_a(i)) continue;
                least(i) = squares[w];
                place(i) = static_cast<std::int64_t>(first + w);
            }
        });
    copy_back(place, nearest);
    copy_back(least, squared_distance);
}

}  // namespace nanoatlas::kernels::kokkos
