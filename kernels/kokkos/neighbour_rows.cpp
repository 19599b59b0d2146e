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

std::vector<float> squared_norms(std::span<const double> rows, const Scaling& scaling) {
    const std::size_t columns = scaling.centre.extent(0);
    std::vector<float> norm2(rows.size() / columns);
    const auto seen = on_device(rows);
    const auto out = room_on_device(std::span(norm2));
    for_each_row(
        "neighbours/norms", norm2.size(), KOKKOS_LAMBDA(std::size_t i) {
            const double* row = seen.data() + i * columns;
            double sum = 0;
#pragma omp simd reduction(+ : sum)
            for (std::size_t c = 0; c < columns; ++c)
                sum += scaling(row[c], c) * scaling(row[c], c);
            out(i) = static_cast<float>(sum);
        });
    copy_back(out, std::span(norm2));
    return norm2;
}

PlacedRows place_rows(std::span<const double> rows, const LayoutView& layout,
                      std::int64_t first_row, std::size_t columns) {
    const std::size_t n = layout.order.size();
    PlacedRows placed{
        .rows = on_device(rows),
        .exact = on_device(layout.exact),
        .columns = columns,
        .first_row = first_row,
        .order = DeviceView<std::int32_t>("order", n),
        .norm2 = DeviceView<float>("norm2", (n + tile_right - 1) / tile_right * tile_right)};
    Kokkos::deep_copy(placed.order, HostView<const std::int32_t>(layout.order.data(), n));
    const auto norm2 = on_device(layout.norm2);
    for_each_row(
        "neighbours/place", placed.norm2.extent(0), KOKKOS_LAMBDA(std::size_t position) {
            placed.norm2(position) = position < n ? norm2(placed.row(position)) : INFINITY;
        });
    Kokkos::fence();
    return placed;
}

KeptCandidates::KeptCandidates(std::size_t n, int k)
    : CandidateLists(n, room_for(k)),
      lower("lower", n * static_cast<std::size_t>(room)),
      upper("upper", lower.extent(0)) {}

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
