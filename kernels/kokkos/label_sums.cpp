#include "kernels/kokkos/label_sums.hpp"

#include <Kokkos_Core.hpp>
#include <type_traits>

namespace nanoatlas::kernels::kokkos::centre_search {
namespace {

// On a host each thread has sums of its own; where threads are many they share one by atomics.
constexpr bool sums_by_thread =
    std::is_same_v<Execution::memory_space, Kokkos::HostSpace::memory_space>;

std::size_t copies_of_sums() {
    return sums_by_thread ? static_cast<std::size_t>(Execution().concurrency()) : 1;
}

/// sum[c] += sign * (value - origin), as whole numbers.
template <int sign = 1>
KOKKOS_INLINE_FUNCTION void add_row(const double* row, const double* origin, std::size_t columns,
                                    const FixedPoint& fixed, std::int64_t* sum) {
#pragma omp simd
    for (std::size_t c = 0; c < columns; ++c) {
        const auto whole = sign * fixed.whole(row[c] - origin[c]);
        if constexpr (sums_by_thread)
            sum[c] += whole;
        else
            Kokkos::atomic_add(sum + c, whole);
    }
}

}  // namespace

LabelSums::LabelSums(const Rows& rows, const DeviceView<double>& centre, std::size_t clusters,
                     const FixedPoint& fixed)
    : rows_(rows),
      centre_(centre),
      fixed_(fixed),
      summed_("summed", rows.count),
      sums_("sums", copies_of_sums() * clusters * rows.columns) {
    restart();
}

void LabelSums::restart() {
    Kokkos::deep_copy(summed_, -1);
}

void LabelSums::add_changes(std::span<std::int64_t> sums, std::span<std::int64_t> counts) {
    const auto rows = rows_;
    const auto columns = rows.columns;
    const auto centre = centre_;
    const auto summed = summed_;
    const auto partial = sums_;
    const auto fixed = fixed_;
    const auto size = sums.size();
    Kokkos::deep_copy(partial, 0);
    const Kokkos::Experimental::UniqueToken<Execution> tokens;
    constexpr std::size_t run = sums_by_thread ? 256 : 1;
    for_each_row(
        "kmeans/sums", (rows.count + run - 1) / run, KOKKOS_LAMBDA(const std::size_t r) {
            const auto token = sums_by_thread ? tokens.acquire() : 0;
            std::int64_t* sum = partial.data() + static_cast<std::size_t>(token) * size;
            for (std::size_t i = r * run; i < Kokkos::min((r + 1) * run, rows.count); ++i) {
                if (rows.label(i) == summed(i)) continue;
                const double* row = &rows.given(i * columns);
                add_row(row, centre.data(), columns, fixed,
                        sum + static_cast<std::size_t>(rows.label(i)) * columns);
                if (summed(i) >= 0)
                    add_row<-1>(row, centre.data(), columns, fixed,
                                sum + static_cast<std::size_t>(summed(i)) * columns);
            }
            if (sums_by_thread) tokens.release(token);
        });
    Kokkos::fence();
    const auto change = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, partial);
    for (std::size_t i = 0; i < partial.extent(0); ++i) sums[i % size] += change(i);
    const auto before = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, summed);
    const auto now = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, rows.label);
    for (std::size_t i = 0; i < rows.count; ++i) {
        if (before(i) >= 0) --counts[static_cast<std::size_t>(before(i))];
        ++counts[static_cast<std::size_t>(now(i))];
    }
    Kokkos::deep_copy(summed, rows.label);
}

}  // namespace nanoatlas::kernels::kokkos::centre_search
