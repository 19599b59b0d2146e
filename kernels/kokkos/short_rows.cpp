#include "kernels/kokkos/short_rows.hpp"

#include <algorithm>

#include "kernels/kokkos/dot_tile.hpp"

namespace nanoatlas::kernels::kokkos {
namespace {

constexpr double largest_norm = 46300, largest_value = 32767, least_norm = 0x1p-70;
constexpr std::size_t columns_at_once = 128;

struct Rounded {
    RoomView<float> norm2, step;
    RoomView<float> exact;  // or none
    RoomView<std::int16_t> numbers;
};

// One row or, beyond the last, one of 0.
struct RoundRow {
    SeenView<double> rows;
    Scaling scaling;
    std::size_t columns, count, width, stride;
    Rounded made;

    KOKKOS_FUNCTION void operator()(std::size_t i, float& error, int& is_inexact) const {
        if (i >= count) {
            clear(i);
            return;
        }
        const double* row = rows.data() + i * columns;
        const bool fits =
            made.exact.extent(0) == 0 || copy_to_f32(row, made.exact.data() + i * columns);
        is_inexact = Kokkos::max(is_inexact, static_cast<int>(!fits));
        double norm2 = 0, largest = 0;
#pragma omp simd reduction(+ : norm2) reduction(max : largest)
        for (std::size_t c = 0; c < columns; ++c) {
            const double value = scaling(row[c], c);
            norm2 += value * value;
            largest = Kokkos::max(largest, Kokkos::abs(value));
        }
        made.norm2(i) = static_cast<float>(norm2);
        const double norm = Kokkos::sqrt(norm2);
        const bool vanishes = norm < least_norm;
        if (vanishes) {
            made.step(i) = 0;
            clear(i);
        }
        error = Kokkos::max(error, vanishes ? 0.F : round(row, i, norm, largest));
    }

  private:
    // Tells whether it is still what it was.
    KOKKOS_FUNCTION bool copy_to_f32(const double* row, float* to) const {
        int differing = 0;
#pragma omp simd reduction(+ : differing)
        for (std::size_t c = 0; c < columns; ++c) {
            to[c] = static_cast<float>(row[c]);
            differing += static_cast<int>(static_cast<double>(to[c]) != row[c]);
        }
        return differing == 0;
    }

    KOKKOS_FUNCTION std::int16_t* numbers_of(std::size_t i) const {
        return made.numbers.data() + (i / width * stride * width + i % width) * 2;
    }

    KOKKOS_FUNCTION void clear(std::size_t i) const {
        std::int16_t* to = numbers_of(i);
        for (std::size_t p = 0; p < (columns + 1) / 2; ++p, to += 2 * width) to[0] = to[1] = 0;
    }

    // Returns the relative error.
    KOKKOS_FUNCTION float round(const double* row, std::size_t i, double norm,
                                double largest) const {
        const double room = largest_norm - Kokkos::sqrt(static_cast<double>(columns));
        made.step(i) =
            static_cast<float>((1 + 1e-6) * Kokkos::max(norm / room, largest / largest_value));
        const double step = made.step(i), steps = 1 / step;
        std::int16_t* to = numbers_of(i);
        double error2 = 0;
        for (std::size_t first = 0; first < columns; first += columns_at_once) {
            const std::size_t few = Kokkos::min(std::size_t{columns_at_once}, columns - first);
            std::int16_t numbers[columns_at_once] = {};
#pragma omp simd reduction(+ : error2)
            for (std::size_t c = 0; c < few; ++c) {
                const double value = scaling(row[first + c], first + c);
                const double whole = Kokkos::nearbyint(value * steps);
                const double off = value - whole * step;
                error2 += off * off;
                numbers[c] = static_cast<std::int16_t>(static_cast<std::int32_t>(whole));
            }
            put_pairs(numbers, (few + 1) / 2, to);
            to += columns_at_once * width;
        }
        return static_cast<float>((1 + 1e-6) * Kokkos::sqrt(error2) / norm);
    }

    KOKKOS_FUNCTION void put_pairs(const std::int16_t* numbers, std::size_t pairs,
                                   std::int16_t* to) const {
        for (std::size_t p = 0; p < pairs; ++p, to += 2 * width) {
            to[0] = numbers[2 * p];
            to[1] = numbers[2 * p + 1];
        }
    }
};

// Of strips of 2,048 columns the same columns would lie in the same few sets of the second cache;
// an odd number of 8 KiB from one to the next spreads them.
std::size_t stride_of(std::size_t columns, std::size_t width) {
    constexpr std::size_t apart = 128;
    const std::size_t pairs = (columns + 1) / 2;
    if (width == 1 || pairs <= 2 * apart) return pairs;
    return ((pairs + apart - 1) / apart | 1U) * apart;
}

bool is_in_f32(std::span<const double> row) {
    return std::ranges::all_of(
        row, [](double value) { return static_cast<double>(static_cast<float>(value)) == value; });
}

std::size_t width_of(const LayoutWidths& widths) {
    return widths.group == 1 ? 1 : short_strip;
}

}  // namespace

std::size_t numbers_of_row(std::size_t columns, int width) {
    return 2 * stride_of(columns, static_cast<std::size_t>(width));
}

void round_rows(std::span<const double> rows, const Scaling& scaling, const LayoutWidths& widths,
                Layout& layout) {
    const std::size_t columns = scaling.centre.extent(0), n = rows.size() / columns;
    const std::size_t filled_up = (n + widths.group - 1) / widths.group * widths.group;
    layout.norm2.resize(n);
    layout.step.resize(n);
    layout.numbers = Unfilled<std::int16_t>(filled_up * widths.numbers);
    if (n > 0 && is_in_f32(rows.first(columns))) layout.exact = Unfilled<float>(rows.size());
    const Rounded made{room_on_device(std::span(layout.norm2)),
                       room_on_device(std::span(layout.step)),
                       room_on_device(std::span<float>(layout.exact)),
                       room_on_device(std::span<std::int16_t>(layout.numbers))};
    const auto width = width_of(widths);
    int is_inexact = 0;
    Kokkos::parallel_reduce(
        "neighbours/short", Kokkos::RangePolicy<Execution>(0, filled_up),
        RoundRow{on_device(rows), scaling, columns, n, width, stride_of(columns, width), made},
        Kokkos::Max<float>(layout.error), Kokkos::Max<int>(is_inexact));
    copy_back(made.norm2, std::span(layout.norm2));
    copy_back(made.step, std::span(layout.step));
    copy_back(made.exact, std::span<float>(layout.exact));
    copy_back(made.numbers, std::span<std::int16_t>(layout.numbers));
    if (is_inexact != 0) layout.exact = {};
}

ShortRows short_rows(const PlacedRows& placed, const LayoutView& layout,
                     const LayoutWidths& widths) {
    const std::size_t width = width_of(widths), n = placed.count();
    ShortRows made{.values = on_device(layout.numbers),
                   .order = placed.order,
                   .step = DeviceView<float>("step", placed.norm2.extent(0)),
                   .pairs = (placed.columns + 1) / 2,
                   .stride = stride_of(placed.columns, width),
                   .error = layout.error};
    const auto step = on_device(layout.step);
    const auto to = made.step;
    for_each_row(
        "neighbours/steps", n,
        KOKKOS_LAMBDA(std::size_t position) { to(position) = step(placed.row(position)); });
    Kokkos::fence();
    return made;
}

}  // namespace nanoatlas::kernels::kokkos
