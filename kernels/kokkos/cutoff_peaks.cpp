#include "kernels/kokkos/cutoff_peaks.hpp"

#include <bit>
#include <cmath>

#include "kernels/kokkos/distance_tiles.hpp"
#include "kernels/kokkos/views.hpp"

namespace nanoatlas::kernels::kokkos {
namespace {

using distance_tiles::for_each_distance, distance_tiles::width;

/// exp(-x), x >= 0, to a few 1e-16; below exp(-700) that. Without branches, so that loops over it
/// are vectorised: exp(-x) = 2^n exp(r), |r| <= log(2) / 2, and a Taylor polynomial.
KOKKOS_FORCEINLINE_FUNCTION double exp_of_minus(double x) {
    constexpr double anchor = 0x1.8p52;
    constexpr double log2_high = 0x1.62e42fefa38p-1, log2_low = 0x1.ef35793c7673p-45;
    const double bounded = x < 700 ? x : 700;
    const double raised = bounded * -1.4426950408889634 + anchor;
    const double n = raised - anchor;
    const double r = (-bounded - n * log2_high) - n * log2_low;
    double sum = 1.0 / 6227020800;
    sum = sum * r + 1.0 / 479001600;
    sum = sum * r + 1.0 / 39916800;
    sum = sum * r + 1.0 / 3628800;
    sum = sum * r + 1.0 / 362880;
    sum = sum * r + 1.0 / 40320;
    sum = sum * r + 1.0 / 5040;
    sum = sum * r + 1.0 / 720;
    sum = sum * r + 1.0 / 120;
    sum = sum * r + 1.0 / 24;
    sum = sum * r + 1.0 / 6;
    sum = sum * r + 0.5;
    sum = sum * r + 1;
    sum = sum * r + 1;
    // n is in the lowest bits of `raised`; moved into the exponent it multiplies by 2^n.
    return std::bit_cast<double>(std::bit_cast<std::uint64_t>(sum) +
                                 (std::bit_cast<std::uint64_t>(raised) << 52));
}

}  // namespace

void add_density(std::span<const double> a, std::span<const double> b, std::size_t columns,
                 double cutoff, DensityKernel kernel, int bits, std::span<double> density) {
    if (a.empty() || b.empty()) return;
    const auto to = on_device_for_update(density);
    const double square = cutoff * cutoff;
    const double anchor = std::ldexp(1.5, 52 - bits);
    if (kernel == DensityKernel::count)
        for_each_distance(
            "cutoff_peaks/density", a, b, columns,
            KOKKOS_LAMBDA(std::size_t i, std::size_t, std::size_t count, const double* squares) {
                double sum = 0;
                for (std::size_t w = 0; w < count; ++w) sum += squares[w] < square ? 1 : 0;
                to(i) += sum;
            });
    else
        for_each_distance(
            "cutoff_peaks/density", a, b, columns,
            KOKKOS_LAMBDA(std::size_t i, std::size_t, std::size_t count, double* squares) {
                for (std::size_t w = 0; w < width; ++w)
                    squares[w] = (exp_of_minus(squares[w] / square) + anchor) - anchor;
                double sum = 0;
                for (std::size_t w = 0; w < count; ++w) sum += squares[w];
                to(i) += sum;
            });
    copy_back(to, density);
}

void update_nearest_denser(const RankedRows& a, const RankedRows& b, std::size_t columns,
                           std::span<std::int64_t> nearest, std::span<double> squared) {
    if (a.density.empty() || b.density.empty()) return;
    const auto of_a = on_device(a.density), of_b = on_device(b.density);
    const auto place = on_device_for_update(nearest);
    const auto least = on_device_for_update(squared);
    const auto first_a = a.first_row, first_b = b.first_row;
    for_each_distance(
        "cutoff_peaks/nearest_denser", a.values, b.values, columns,
        KOKKOS_LAMBDA(std::size_t i, std::size_t first, std::size_t count, const double* squares) {
            const auto row = first_a + static_cast<std::int64_t>(i);
            for (std::size_t w = 0; w < count; ++w) {
                const auto other = first_b + static_cast<std::int64_t>(first + w);
                if (squares[w] > least(i) || of_b(first + w) < of_a(i)) continue;
                if (of_b(first + w) == of_a(i) && other >= row) continue;
                if (squares[w] == least(i) && place(i) >= 0 && place(i) < other) continue;
                least(i) = squares[w];
                place(i) = other;
            }
        });
    copy_back(place, nearest);
    copy_back(least, squared);
}

void mark_borders(std::span<const double> a, std::span<const std::int32_t> label_of_a,
                  std::span<const double> b, std::span<const std::int32_t> label_of_b,
                  std::size_t columns, double cutoff, std::span<std::uint8_t> on_border) {
    if (a.empty() || b.empty()) return;
    const auto of_a = on_device(label_of_a), of_b = on_device(label_of_b);
    const auto to = on_device_for_update(on_border);
    const double square = cutoff * cutoff;
    for_each_distance(
        "cutoff_peaks/borders", a, b, columns,
        KOKKOS_LAMBDA(std::size_t i, std::size_t first, std::size_t count, const double* squares) {
            for (std::size_t w = 0; w < count; ++w)
                if (squares[w] <= square && of_b(first + w) != of_a(i)) to(i) = 1;
        });
    copy_back(to, on_border);
}

}  // namespace nanoatlas::kernels::kokkos
