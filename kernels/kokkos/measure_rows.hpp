// Squared distances in f64 of one row and a few others, as neighbours are ranked by.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "kernels/kokkos/neighbour_rows.hpp"
#include "kernels/kokkos/selection.hpp"
#include "kernels/kokkos/squared_distance.hpp"

namespace nanoatlas::kernels::kokkos {

/// A row, and those that it is compared with.
/// row_at: where the values of a position lie
template <class Value, class RowAt>
struct RowMeasure {
    const Value* from;
    const PlacedRows& placed;
    const RowAt& row_at;

    KOKKOS_INLINE_FUNCTION void operator()(const std::int32_t* position, int count,
                                           Ranked* measured) const {
        constexpr int at_once = 4;
        int i = 0;
        for (; i + at_once <= count; i += at_once) some<at_once>(position + i, measured + i);
        if (count - i == 3) some<3>(position + i, measured + i);
        if (count - i == 2) some<2>(position + i, measured + i);
        if (count - i == 1) some<1>(position + i, measured + i);
    }

  private:
    template <int count>
    KOKKOS_INLINE_FUNCTION void some(const std::int32_t* position, Ranked* measured) const {
        decltype(row_at(0)) row[count];
        double squared[count];
        for (int r = 0; r < count; ++r) row[r] = row_at(static_cast<std::size_t>(position[r]));
        squared_distances(from, row, placed.columns, squared);
        for (int r = 0; r < count; ++r) {
            const auto number = placed.row(static_cast<std::size_t>(position[r]));
            measured[r] = {squared[r], placed.first_row + static_cast<std::int64_t>(number)};
        }
    }
};

/// Those at positions [count] of `placed`, from the row at position p of `own`; in f32 where a side
/// has that, as half as much has to come from far then.
KOKKOS_INLINE_FUNCTION void measure_rows(const PlacedRows& own, std::size_t p,
                                         const PlacedRows& placed, const std::int32_t* position,
                                         int count, Ranked* measured) {
    const auto exact = [&](std::size_t at) { return placed.exact_values(at); };
    const auto whole = [&](std::size_t at) { return placed.values(at); };
    const auto measure = [&](const auto* from) {
        using Value = std::remove_cvref_t<decltype(*from)>;
        if (placed.exact.extent(0) > 0)
            RowMeasure<Value, decltype(exact)>{from, placed, exact}(position, count, measured);
        else
            RowMeasure<Value, decltype(whole)>{from, placed, whole}(position, count, measured);
    };
    if (own.exact.extent(0) > 0)
        measure(own.exact_values(p));
    else
        measure(own.values(p));
}

}  // namespace nanoatlas::kernels::kokkos
