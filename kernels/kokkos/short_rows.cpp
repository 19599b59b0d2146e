#include "kernels/kokkos/short_rows.hpp"

namespace nanoatlas::kernels::kokkos {
namespace {

constexpr double largest_norm = 46300, largest_value = 32767, least_norm = 0x1p-70;
constexpr std::size_t columns_at_once = 128;

// One strip.
struct RoundStrip {
    PlacedRows placed;
    Scaling scaling;
    ShortRows made;

    KOKKOS_FUNCTION void operator()(std::size_t strip, float& error) const {
        const auto width = static_cast<std::size_t>(made.width);
        for (std::size_t i = 0; i < width; ++i) {
            const std::size_t position = strip * width + i;
            if (position >= placed.count()) return;
            error = Kokkos::max(error, round_row(position, strip, i));
        }
    }

  private:
    // Returns the relative error.
    KOKKOS_FUNCTION float round_row(std::size_t position, std::size_t strip, std::size_t i) const {
        const double* row = placed.values(position);
        double norm2 = 0, largest = 0;
#pragma omp simd reduction(+ : norm2) reduction(max : largest)
        for (std::size_t c = 0; c < placed.columns; ++c) {
            const double value = scaling(row[c], c);
            norm2 += value * value;
            largest = Kokkos::max(largest, Kokkos::abs(value));
        }
        const double norm = Kokkos::sqrt(norm2);
        if (norm < least_norm) return 0;
        const double room = largest_norm - Kokkos::sqrt(static_cast<double>(placed.columns));
        made.step(position) =
            static_cast<float>((1 + 1e-6) * Kokkos::max(norm / room, largest / largest_value));
        const double step = made.step(position), steps = 1 / step;
        std::int16_t* to = made.values.data() +
                           (strip * made.stride * static_cast<std::size_t>(made.width) + i) * 2;
        double error2 = 0;
        for (std::size_t first = 0; first < placed.columns; first += columns_at_once) {
            const std::size_t count =
                Kokkos::min(std::size_t{columns_at_once}, placed.columns - first);
            std::int16_t numbers[columns_at_once] = {};
#pragma omp simd reduction(+ : error2)
            for (std::size_t c = 0; c < count; ++c) {
                const double value = scaling(row[first + c], first + c);
                const double whole = Kokkos::nearbyint(value * steps);
                const double off = value - whole * step;
                error2 += off * off;
                numbers[c] = static_cast<std::int16_t>(static_cast<std::int32_t>(whole));
            }
            put_pairs(numbers, (count + 1) / 2, to);
            to += columns_at_once * static_cast<std::size_t>(made.width);
        }
        return static_cast<float>((1 + 1e-6) * Kokkos::sqrt(error2) / norm);
    }

    KOKKOS_FUNCTION void put_pairs(const std::int16_t* numbers, std::size_t pairs,
                                   std::int16_t* to) const {
        for (std::size_t p = 0; p < pairs; ++p, to += 2 * made.width) {
            to[0] = numbers[2 * p];
            to[1] = numbers[2 * p + 1];
        }
    }
};

// Of strips of 2,048 columns the same columns would lie in the same few sets of the second cache;
// an odd number of 8 KiB from one to the next spreads them.
std::size_t spread(std::size_t pairs, int width) {
    constexpr std::size_t apart = 128;
    if (width == 1 || pairs <= 2 * apart) return pairs;
    return ((pairs + apart - 1) / apart | 1U) * apart;
}

}  // namespace

ShortRows make_short_rows(const PlacedRows& placed, const Scaling& scaling, int width) {
    const auto w = static_cast<std::size_t>(width);
    const std::size_t strips = placed.norm2.extent(0) / w, pairs = (placed.columns + 1) / 2;
    const std::size_t stride = spread(pairs, width);
    ShortRows made{.values = DeviceView<std::int16_t>("short", strips * stride * 2 * w),
                   .step = DeviceView<float>("step", strips * w),
                   .pairs = pairs,
                   .stride = stride,
                   .width = width};
    float error = 0;
    Kokkos::parallel_reduce("neighbours/short", Kokkos::RangePolicy<Execution>(0, strips),
                            RoundStrip{placed, scaling, made}, Kokkos::Max<float>(error));
    made.error = error;
    return made;
}

}  // namespace nanoatlas::kernels::kokkos
