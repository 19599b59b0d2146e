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

/// The value that would stand at position nth (from 0) if values were sorted; reorders them.
/// Hoare's selection with the median of three as pivot.
KOKKOS_INLINE_FUNCTION float select_nth(float* values, int count, int nth) {
    int low = 0, high = count - 1;
    while (low < high) {
        const float a = values[low], b = values[(low + high) / 2], c = values[high];
        const float pivot = a < b ? (b < c ? b : (a < c ? c : a)) : (a < c ? a : (b < c ? c : b));
        int i = low, j = high;
        while (i <= j) {
            while (values[i] < pivot) ++i;
            while (pivot < values[j]) --j;
            if (i <= j) Kokkos::kokkos_swap(values[i++], values[j--]);
        }
        if (nth <= j)
            high = j;
        else if (nth >= i)
            low = i;
        else
            return values[nth];
    }
    return values[low];
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
