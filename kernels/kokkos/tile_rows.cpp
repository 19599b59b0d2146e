#include "kernels/kokkos/tile_rows.hpp"

#include <cmath>
#include <cstring>
#include <numeric>
#include <vector>

namespace nanoatlas::kernels::kokkos {
namespace {

constexpr std::size_t rows_at_once = 4, directions_at_once = 8;

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

using Policy = Kokkos::TeamPolicy<Execution>;
using Scratch = Kokkos::View<double*, Execution::scratch_memory_space, Kokkos::MemoryUnmanaged>;
using Sums = double[rows_at_once][directions_at_once];

#if defined(__GNUC__) && !defined(__CUDACC__)

/// sums[i][d] = sum over c of rows[c][i] * directions[c][d]. On its own, so that sums stay in
/// registers.
__attribute__((noinline)) void project_tile(const double* rows, const double* directions,
                                            std::size_t columns, Sums& sums) {
    constexpr std::size_t lanes = directions_at_once / 2;
    using Lanes = double __attribute__((vector_size(lanes * sizeof(double))));
    Lanes sum[rows_at_once][2];
#pragma GCC unroll 4
    for (std::size_t i = 0; i < rows_at_once; ++i) sum[i][0] = sum[i][1] = Lanes{};
    for (std::size_t c = 0; c < columns;
         ++c, rows += rows_at_once, directions += directions_at_once) {
        Lanes near, far;
        std::memcpy(&near, directions, sizeof near);
        std::memcpy(&far, directions + lanes, sizeof far);
#pragma GCC unroll 4
        for (std::size_t i = 0; i < rows_at_once; ++i) {
            sum[i][0] += rows[i] * near;
            sum[i][1] += rows[i] * far;
        }
    }
#pragma GCC unroll 4
    for (std::size_t i = 0; i < rows_at_once; ++i) {
        std::memcpy(&sums[i][0], &sum[i][0], sizeof(Lanes));
        std::memcpy(&sums[i][lanes], &sum[i][1], sizeof(Lanes));
    }
}

#else

KOKKOS_FUNCTION void project_tile(const double* rows, const double* directions, std::size_t columns,
                                  Sums& sums) {
    for (auto& row : sums)
        for (auto& value : row) value = 0;
    for (std::size_t c = 0; c < columns; ++c)
        for (std::size_t i = 0; i < rows_at_once; ++i)
            for (std::size_t d = 0; d < directions_at_once; ++d)
                sums[i][d] += rows[c * rows_at_once + i] * directions[c * directions_at_once + d];
}

#endif

/// Calls take(position, direction, component) for all rows and directions.
template <class Take>
void for_each_component(const PlacedRows& placed, const Scaling& scaling,
                        const Directions& directions, const Take& take) {
    const auto along = interleaved(directions);
    const std::size_t n = placed.count(), columns = placed.columns, count = directions.count;
    if (n == 0) return;
    auto policy = Policy(static_cast<int>((n + rows_at_once - 1) / rows_at_once), 1);
    policy.set_scratch_size(1, Kokkos::PerTeam(Scratch::shmem_size(columns * rows_at_once)));
    Kokkos::parallel_for(
        "neighbours/project", policy, KOKKOS_LAMBDA(const Policy::member_type& team) {
            const Scratch rows(team.team_scratch(1), columns * rows_at_once);
            const std::size_t first = static_cast<std::size_t>(team.league_rank()) * rows_at_once;
            const std::size_t here = Kokkos::min(std::size_t{rows_at_once}, n - first);
            for (std::size_t i = 0; i < rows_at_once; ++i) {
                const double* row = placed.values(first + Kokkos::min(i, here - 1));
                for (std::size_t c = 0; c < columns; ++c)
                    rows(c * rows_at_once + i) = scaling(row[c], c);
            }
            for (std::size_t d = 0; d < count; d += directions_at_once) {
                Sums sums;
                project_tile(rows.data(), along.data() + d * columns, columns, sums);
                for (std::size_t i = 0; i < here; ++i)
                    for (std::size_t e = 0; e < directions_at_once && d + e < count; ++e)
                        take(first + i, d + e, sums[i][e]);
            }
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

LeadingRows leading_rows(const PlacedRows& placed, const Scaling& scaling,
                         const Directions& directions, int width) {
    const std::size_t n = placed.count(), columns = placed.columns, count = directions.count;
    LeadingRows made{InterleavedRows(n, count + 1, width), DeviceView<float>("rest", n)};
    const DeviceView<double> norm2("norm2", n);
    for_each_component(
        placed, scaling, directions,
        KOKKOS_LAMBDA(std::size_t position, std::size_t direction, double component) {
            made.values.at(position, direction) = static_cast<float>(component);
            norm2(position) += component * component;
        });
    for_each_row(
        "neighbours/rest", n, KOKKOS_LAMBDA(std::size_t position) {
            const double* row = placed.values(position);
            double whole = 0;
            for (std::size_t c = 0; c < columns; ++c)
                whole += scaling(row[c], c) * scaling(row[c], c);
            made.rest(position) =
                static_cast<float>(Kokkos::sqrt(Kokkos::max(0.0, whole - norm2(position))));
            made.values.at(position, count) = made.rest(position);
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

std::vector<double> components(std::span<const double> rows, const Scaling& scaling,
                               const Directions& directions) {
    const std::size_t n = rows.size() / directions.columns, count = directions.count;
    std::vector<std::int32_t> order(n);
    std::iota(order.begin(), order.end(), 0);
    std::vector<double> result(n * count);
    const auto out = room_on_device(std::span(result));
    for_each_component(
        place_rows(rows, order, 0, scaling), scaling, directions,
        KOKKOS_LAMBDA(std::size_t row, std::size_t direction, double component) {
            out(row * count + direction) = component;
        });
    copy_back(out, std::span(result));
    return result;
}

}  // namespace nanoatlas::kernels::kokkos
