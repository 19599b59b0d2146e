#include "kernels/kokkos/neighbour_rows.hpp"

#include <cmath>
#include <vector>

#include "kernels/kokkos/dot_tile.hpp"

namespace nanoatlas::kernels::kokkos {

Scaling scaling_of(const Frame& frame) {
    const std::size_t columns = frame.centre.size();
    Scaling scaling{DeviceView<double>("centre", columns),
                    std::exp2(-std::ceil(std::log2(frame.largest)))};
    Kokkos::deep_copy(scaling.centre, HostView<const double>(frame.centre.data(), columns));
    return scaling;
}

namespace {

DeviceView<float> norms(const PlacedRows& placed, const Scaling& scaling) {
    const std::size_t n = placed.count();
    DeviceView<float> norm2("norm2", (n + tile_right - 1) / tile_right * tile_right);
    for_each_row(
        "neighbours/norms", norm2.extent(0), KOKKOS_LAMBDA(std::size_t position) {
            if (position >= n) {
                norm2(position) = INFINITY;
                return;
            }
            const double* row = placed.values(position);
            double sum = 0;
#pragma omp simd reduction(+ : sum)
            for (std::size_t c = 0; c < placed.columns; ++c)
                sum += scaling(row[c], c) * scaling(row[c], c);
            norm2(position) = static_cast<float>(sum);
        });
    Kokkos::fence();
    return norm2;
}

// Copies a row to f32; tells whether it still is what it was.
KOKKOS_FUNCTION bool copy_to_f32(const double* row, std::size_t columns, float* to) {
    int differing = 0;
#pragma omp simd reduction(+ : differing)
    for (std::size_t c = 0; c < columns; ++c) {
        to[c] = static_cast<float>(row[c]);
        differing += static_cast<int>(static_cast<double>(to[c]) != row[c]);
    }
    return differing == 0;
}

// Wide rows in f32, as features come, if nothing of them is lost: those that are measured one after
// the other come from far, and half as much has to.
DeviceView<float> rows_in_f32(const PlacedRows& placed) {
    if (placed.columns < wide_columns) return {};
    DeviceView<float> exact(Kokkos::view_alloc(Kokkos::WithoutInitializing, "exact"),
                            placed.count() * placed.columns);
    int fit = 1;
    Kokkos::parallel_reduce(
        "neighbours/exact", Kokkos::RangePolicy<Execution>(0, placed.count()),
        KOKKOS_LAMBDA(std::size_t position, int& so_far) {
            if (so_far != 0)
                so_far = static_cast<int>(copy_to_f32(placed.values(position), placed.columns,
                                                      exact.data() + position * placed.columns));
        },
        Kokkos::LAnd<int>(fit));
    return fit != 0 ? exact : DeviceView<float>();
}

}  // namespace

PlacedRows put_in_order(std::span<const double> rows, std::span<const std::int32_t> order,
                        std::int64_t first_row, std::size_t columns) {
    PlacedRows placed{.rows = on_device(rows),
                      .columns = columns,
                      .first_row = first_row,
                      .order = DeviceView<std::int32_t>("order", order.size()),
                      .norm2 = {},
                      .exact = {}};
    Kokkos::deep_copy(placed.order, HostView<const std::int32_t>(order.data(), order.size()));
    return placed;
}

PlacedRows place_rows(std::span<const double> rows, std::span<const std::int32_t> order,
                      std::int64_t first_row, const Scaling& scaling) {
    auto placed = put_in_order(rows, order, first_row, scaling.centre.extent(0));
    placed.norm2 = norms(placed, scaling);
    placed.exact = rows_in_f32(placed);
    return placed;
}

KeptCandidates::KeptCandidates(std::size_t n, int k)
    : room(room_for(k)),
      lower("lower", n * static_cast<std::size_t>(room)),
      upper("upper", lower.extent(0)),
      candidate("kept", lower.extent(0)),
      count("count", n) {}

// Where each searcher stands among the candidates.
Candidates candidates_for(const Searchers& searchers, const PlacedRows& placed,
                          std::span<const std::int32_t> order) {
    std::vector<std::int32_t> position(order.size());
    for (std::size_t p = 0; p < order.size(); ++p)
        position[static_cast<std::size_t>(order[p])] = static_cast<std::int32_t>(p);
    const auto position_of = on_device(std::span<const std::int32_t>(position));
    const auto own = searchers.placed;
    Candidates made{placed, DeviceView<std::int32_t>("self", own.count())};
    const std::int64_t offset = own.first_row - placed.first_row;
    const auto m = static_cast<std::int64_t>(order.size());
    for_each_row(
        "neighbours/selves", own.count(), KOKKOS_LAMBDA(std::size_t p) {
            const std::int64_t candidate = offset + own.order(p);
            made.self(p) = candidate >= 0 && candidate < m ? position_of(candidate) : -1;
        });
    Kokkos::fence();
    return made;
}

Candidates strangers(const Searchers& searchers, const PlacedRows& placed) {
    Candidates made{placed, DeviceView<std::int32_t>("self", searchers.placed.count())};
    Kokkos::deep_copy(made.self, -1);
    return made;
}

Candidates searchers_as_candidates(const Searchers& searchers) {
    Candidates made{searchers.placed, DeviceView<std::int32_t>("self", searchers.placed.count()),
                    true};
    for_each_row(
        "neighbours/selves", searchers.placed.count(),
        KOKKOS_LAMBDA(std::size_t p) { made.self(p) = static_cast<std::int32_t>(p); });
    Kokkos::fence();
    return made;
}

}  // namespace nanoatlas::kernels::kokkos
