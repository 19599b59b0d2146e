#include "kernels/kokkos/tile_rows.hpp"

#include <cmath>
#include <cstring>
#include <vector>

namespace nanoatlas::kernels::kokkos {
namespace {

constexpr std::size_t tile_rows = 4, directions_at_once = 8;
// So many columns of all tiles of a team and of a few directions stay in the first cache.
constexpr std::size_t tiles_at_once = 4, columns_at_once = 128;
constexpr std::size_t rows_at_once = tiles_at_once * tile_rows;

/// Directions interleaved: [blocks, columns, directions_at_once], filled up with 0.
DeviceView<double> interleaved(const Directions& directions) {
    const std::size_t columns = directions.columns, w = directions_at_once;
    DeviceView<double> made("directions", (directions.count + w - 1) / w * w * columns);
    for_each_row(
        "neighbours/directions", directions.count, KOKKOS_LAMBDA(std::size_t d) {
            for (std::size_t c = 0; c < columns; ++c)
                made((d / w * columns + c) * w + d % w) = directions.values(d * columns + c);
        });
    return made;
}

using ProjectionSums = double[tile_rows][directions_at_once];

#if defined(__GNUC__) && !defined(__CUDACC__)

/// sums[i][d] += sum over c of rows[c][i] * directions[c][d]. On its own, so that sums stay in
/// registers.
__attribute__((noinline)) void project_tile(const double* rows, const double* directions,
                                            std::size_t columns, ProjectionSums& sums) {
    constexpr std::size_t lanes = directions_at_once / 2;
    using Lanes = double __attribute__((vector_size(lanes * sizeof(double))));
    Lanes sum[tile_rows][2];
#pragma GCC unroll 4
    for (std::size_t i = 0; i < tile_rows; ++i) {
        std::memcpy(&sum[i][0], &sums[i][0], sizeof(Lanes));
        std::memcpy(&sum[i][1], &sums[i][lanes], sizeof(Lanes));
    }
    for (std::size_t c = 0; c < columns; ++c, rows += tile_rows, directions += directions_at_once) {
        Lanes near, far;
        std::memcpy(&near, directions, sizeof near);
        std::memcpy(&far, directions + lanes, sizeof far);
#if defined(__AVX__)
        asm("" : "+x"(near), "+x"(far));  // or each product would load them again
#endif
#pragma GCC unroll 4
        for (std::size_t i = 0; i < tile_rows; ++i) {
            sum[i][0] += rows[i] * near;
            sum[i][1] += rows[i] * far;
        }
    }
#pragma GCC unroll 4
    for (std::size_t i = 0; i < tile_rows; ++i) {
        std::memcpy(&sums[i][0], &sum[i][0], sizeof(Lanes));
        std::memcpy(&sums[i][lanes], &sum[i][1], sizeof(Lanes));
    }
}

#else

KOKKOS_FUNCTION void project_tile(const double* rows, const double* directions, std::size_t columns,
                                  ProjectionSums& sums) {
    for (std::size_t c = 0; c < columns; ++c)
        for (std::size_t i = 0; i < tile_rows; ++i)
            for (std::size_t d = 0; d < directions_at_once; ++d)
                sums[i][d] += rows[c * tile_rows + i] * directions[c * directions_at_once + d];
}

#endif

/// A few rows and what they are along all directions.
class Projection {
  public:
    KOKKOS_FUNCTION Projection(const Team& team, std::size_t directions)
        : blocks_((directions + directions_at_once - 1) / directions_at_once),
          rows_(team.team_scratch(1), rows_at_once * columns_at_once),
          sums_(team.team_scratch(1), tiles_at_once * blocks_ * tile_sums),
          norm2_(team.team_scratch(1), rows_at_once) {
        for (std::size_t i = 0; i < sums_.extent(0); ++i) sums_(i) = 0;
        for (std::size_t i = 0; i < rows_at_once; ++i) norm2_(i) = 0;
    }

    static std::size_t scratch_size(std::size_t directions) {
        const std::size_t blocks = (directions + directions_at_once - 1) / directions_at_once;
        return Scratch<double>::shmem_size(rows_at_once * columns_at_once) +
               Scratch<double>::shmem_size(tiles_at_once * blocks * tile_sums) +
               Scratch<double>::shmem_size(rows_at_once);
    }

    /// Columns [first, first + count) of rows [row, ...) of [n, columns]; the last one stands in
    /// for those beyond the end.
    KOKKOS_FUNCTION void take_columns(const SeenView<double>& rows, std::size_t n,
                                      const Scaling& scaling, std::size_t row, std::size_t first,
                                      std::size_t count) const {
        const std::size_t columns = scaling.centre.extent(0);
        for (std::size_t i = 0; i < rows_at_once; ++i) {
            const double* values = rows.data() + Kokkos::min(row + i, n - 1) * columns + first;
            double* to = &rows_(i / tile_rows * columns_at_once * tile_rows + i % tile_rows);
            double norm2 = norm2_(i);
            for (std::size_t c = 0; c < count; ++c) {
                const double value = scaling(values[c], first + c);
                to[c * tile_rows] = value;
                norm2 += value * value;
            }
            norm2_(i) = norm2;
        }
    }

    /// along: the same columns of the first directions, and so many values to those of the next
    KOKKOS_FUNCTION void project(const double* along, std::size_t apart, std::size_t count) const {
        for (std::size_t block = 0; block < blocks_; ++block)
            for (std::size_t tile = 0; tile < tiles_at_once; ++tile)
                project_tile(&rows_(tile * columns_at_once * tile_rows), along + block * apart,
                             count, *reinterpret_cast<ProjectionSums*>(sums_of(tile, block)));
    }

    KOKKOS_FUNCTION double component(std::size_t row, std::size_t direction) const {
        return sums_of(row / tile_rows,
                       direction / directions_at_once)[row % tile_rows * directions_at_once +
                                                       direction % directions_at_once];
    }
    KOKKOS_FUNCTION double norm2(std::size_t row) const { return norm2_(row); }

  private:
    static constexpr std::size_t tile_sums = tile_rows * directions_at_once;

    KOKKOS_FUNCTION double* sums_of(std::size_t tile, std::size_t block) const {
        return &sums_((tile * blocks_ + block) * tile_sums);
    }

    std::size_t blocks_;     // of directions
    Scratch<double> rows_;   // [tiles_at_once, columns_at_once, tile_rows]
    Scratch<double> sums_;   // [tiles_at_once, blocks_, tile_rows, directions_at_once]
    Scratch<double> norm2_;  // [rows_at_once]
};

/// Calls take(row, i, projection) for each row, which is row i of the projection.
template <class Take>
void for_each_projection(std::span<const double> rows, const Scaling& scaling,
                         const Directions& directions, const Take& take) {
    const auto along = interleaved(directions);
    const std::size_t columns = directions.columns, n = rows.size() / columns;
    if (n == 0) return;
    const auto seen = on_device(rows);
    auto policy = Teams(static_cast<int>((n + rows_at_once - 1) / rows_at_once), 1);
    policy.set_scratch_size(1, Kokkos::PerTeam(Projection::scratch_size(directions.count)));
    Kokkos::parallel_for(
        "neighbours/project", policy, KOKKOS_LAMBDA(const Team& team) {
            const Projection projection(team, directions.count);
            const std::size_t row = static_cast<std::size_t>(team.league_rank()) * rows_at_once;
            for (std::size_t first = 0; first < columns; first += columns_at_once) {
                const std::size_t count =
                    Kokkos::min(std::size_t{columns_at_once}, columns - first);
                projection.take_columns(seen, n, scaling, row, first, count);
                projection.project(along.data() + first * directions_at_once,
                                   columns * directions_at_once, count);
            }
            for (std::size_t i = 0; i < rows_at_once && row + i < n; ++i)
                take(row + i, i, projection);
        });
    Kokkos::fence();
}

}  // namespace

Directions::Directions(const Frame& frame)
    : values(on_device(std::span<const double>(frame.directions))),
      count(frame.directions.size() / frame.centre.size()),
      columns(frame.centre.size()),
      skew(frame.skew) {}

InterleavedRows whole_rows(const PlacedRows& placed, const Scaling& scaling, int width) {
    const std::size_t n = placed.count(), columns = placed.columns;
    InterleavedRows made(n, columns, width);
    for_each_row(
        "neighbours/tile_rows", n, KOKKOS_LAMBDA(std::size_t position) {
            const double* row = placed.values(position);
            for (std::size_t c = 0; c < columns; ++c)
                made.at(position, c) = static_cast<float>(scaling(row[c], c));
        });
    Kokkos::fence();
    return made;
}

InterleavedRows interleaved_by(int width, const InterleavedRows& rows, std::size_t n) {
    InterleavedRows made(n, rows.columns, width);
    for_each_row(
        "neighbours/interleave", n, KOKKOS_LAMBDA(std::size_t position) {
            for (std::size_t c = 0; c < made.columns; ++c)
                made.at(position, c) = rows.at(position, c);
        });
    Kokkos::fence();
    return made;
}

std::vector<float> leading_parts(std::span<const double> rows, const Scaling& scaling,
                                 const Directions& directions) {
    const std::size_t n = rows.size() / directions.columns, count = directions.count;
    std::vector<float> result(n * (count + 1));
    const auto out = room_on_device(std::span(result));
    for_each_projection(
        rows, scaling, directions,
        KOKKOS_LAMBDA(std::size_t row, std::size_t i, const Projection& projection) {
            double left = projection.norm2(i);
            for (std::size_t d = 0; d < count; ++d) {
                const double component = projection.component(i, d);
                out(row * (count + 1) + d) = static_cast<float>(component);
                left -= component * component;
            }
            out(row * (count + 1) + count) =
                static_cast<float>(Kokkos::sqrt(Kokkos::max(0.0, left)));
        });
    copy_back(out, std::span(result));
    return result;
}

LeadingRows leading_rows(const PlacedRows& placed, std::span<const float> parts, int width) {
    const std::size_t n = placed.count(), columns = parts.size() / Kokkos::max(n, std::size_t{1});
    LeadingRows made{InterleavedRows(n, columns, width), DeviceView<float>("rest", n)};
    const auto from = on_device(parts);
    for_each_row(
        "neighbours/leading", n, KOKKOS_LAMBDA(std::size_t position) {
            const float* part = &from(placed.row(position) * columns);
            for (std::size_t c = 0; c < columns; ++c) made.values.at(position, c) = part[c];
            made.rest(position) = part[columns - 1];
        });
    Kokkos::fence();
    return made;
}

TileRounding rounding_of_leading_rows(const Directions& directions) {
    constexpr double u = 0x1p-53;
    const auto count = static_cast<double>(directions.count);
    const auto columns = static_cast<double>(directions.columns);
    const double component = directions.skew + std::sqrt(count) * (columns + 2) * u;
    const auto displacement =
        static_cast<float>(1.01 * std::sqrt(2 * component + 2 * columns * u) + 0x1p-23);
    TileRounding rounding{RoundingBound(directions.count + 1), displacement};
    rounding.relative += 12 * displacement;
    return rounding;
}

}  // namespace nanoatlas::kernels::kokkos
