// Selecting and sorting short arrays within one thread of a kernel, where <algorithm> is not to be
// had.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>

namespace nanoatlas::kernels::kokkos {

/// A neighbour and its squared distance; equal distances go by index.
struct Ranked {
    double value;
    std::int64_t index;
};

KOKKOS_INLINE_FUNCTION bool operator<(const Ranked& a, const Ranked& b) {
    return a.value < b.value || (a.value == b.value && a.index < b.index);
}

/// A whole number that is in the order of floats (but -0 before 0).
KOKKOS_INLINE_FUNCTION std::int32_t float_rank(float value) {
    const auto bits = Kokkos::bit_cast<std::int32_t>(value);
    return bits ^ ((bits >> 31) & 0x7FFFFFFF);
}
KOKKOS_INLINE_FUNCTION float float_of_rank(std::int32_t rank) {
    return Kokkos::bit_cast<float>(rank ^ ((rank >> 31) & 0x7FFFFFFF));
}

/// A value that at least `enough` of the ranks are not above, and hardly more of them: found by
/// bisection, whose counts a processor takes in whole registers.
/// ranks [count] are float_rank()s, count >= enough >= 1
KOKKOS_INLINE_FUNCTION float limit_of_first(const std::int32_t* ranks, int count, int enough) {
    std::int32_t low = ranks[0], high = ranks[0];
    for (int i = 0; i < count; ++i) {
        low = ranks[i] < low ? ranks[i] : low;
        high = ranks[i] > high ? ranks[i] : high;
    }
    const int plenty = enough + enough / 16;
    while (low < high) {
        const auto middle = static_cast<std::int32_t>((std::int64_t{low} + high) >> 1);
        int below = 0;
        for (int i = 0; i < count; ++i) below += static_cast<int>(ranks[i] <= middle);
        if (below < enough) {
            low = middle + 1;
        } else {
            high = middle;
            if (below <= plenty) break;
        }
    }
    return float_of_rank(high);
}

KOKKOS_INLINE_FUNCTION void insertion_sort(Ranked* values, int count) {
    for (int i = 1; i < count; ++i) {
        const Ranked moved = values[i];
        int j = i;
        for (; j > 0 && moved < values[j - 1]; --j) values[j] = values[j - 1];
        values[j] = moved;
    }
}

/// The first `kept` of two sorted arrays together.
KOKKOS_INLINE_FUNCTION void merge_first(const Ranked* a, int a_count, const Ranked* b, int b_count,
                                        int kept, Ranked* out) {
    int i = 0, j = 0;
    for (int n = 0; n < kept; ++n)
        out[n] = j == b_count || (i < a_count && a[i] < b[j]) ? a[i++] : b[j++];
}

/// Sorts values [count] with scratch [count]: merge sort, bottom up, over runs of eight.
KOKKOS_INLINE_FUNCTION void merge_sort(Ranked* values, int count, Ranked* scratch) {
    constexpr int run = 8;
    for (int first = 0; first < count; first += run)
        insertion_sort(values + first, Kokkos::min(run, count - first));
    Ranked *from = values, *to = scratch;
    for (int width = run; width < count; width *= 2) {
        for (int first = 0; first < count; first += 2 * width) {
            const int left = Kokkos::min(width, count - first);
            const int right = Kokkos::min(width, count - first - left);
            merge_first(from + first, left, from + first + left, right, left + right, to + first);
        }
        Kokkos::kokkos_swap(from, to);
    }
    if (from != values)
        for (int i = 0; i < count; ++i) values[i] = from[i];
}

}  // namespace nanoatlas::kernels::kokkos
