// Tiles of 16-bit products against sums in 64 bits.
#include "kernels/kokkos/short_tile.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "base/random.hpp"

namespace nanoatlas::kernels::kokkos {
namespace {

constexpr auto strip = static_cast<std::size_t>(short_strip);

std::size_t place(std::size_t pair, std::size_t row, std::size_t half) {
    return (pair * strip + row) * 2 + half;
}

void expect_exact(const std::vector<std::int16_t>& left, const std::vector<std::int16_t>& right) {
    const std::size_t pairs = left.size() / (2 * strip);
    std::vector<std::int32_t> sums(strip * strip, 7), alone(strip * strip, 7);
    short_products<true>(left.data(), right.data(), pairs, sums.data());
    short_products<false>(left.data(), right.data(), pairs, alone.data());
    for (std::size_t i = 0; i < strip; ++i)
        for (std::size_t j = 0; j < strip; ++j) {
            std::int64_t expected = 7;
            for (std::size_t p = 0; p < pairs; ++p)
                for (std::size_t h = 0; h < 2; ++h)
                    expected +=
                        std::int64_t{left[place(p, i, h)]} * std::int64_t{right[place(p, j, h)]};
            ASSERT_EQ(sums[i * strip + j], expected) << pairs << " pairs, " << i << ", " << j;
            ASSERT_EQ(alone[i * strip + j], expected - 7) << pairs << " pairs, " << i << ", " << j;
        }
}

TEST(ShortTile, is_exact_on_random_shapes) {
    for (std::uint64_t trial = 0; trial < 30; ++trial) {
        base::Random random(61, trial);
        const std::size_t pairs = random.below(300);
        const std::uint64_t largest = 1 + random.below(1800);
        const auto draw = [&] {
            std::vector<std::int16_t> values(pairs * 2 * strip);
            for (auto& value : values)
                value = static_cast<std::int16_t>(
                    static_cast<std::int64_t>(random.below(2 * largest + 1)) -
                    static_cast<std::int64_t>(largest));
            return values;
        };
        expect_exact(draw(), draw());
    }
}

// Rows of the largest norm that ShortRows makes.
TEST(ShortTile, holds_the_largest_sums) {
    std::vector<std::int16_t> ends(2 * strip), signs(2 * strip);
    for (std::size_t i = 0; i < strip; ++i) {
        ends[place(0, i, 0)] = 32767;
        ends[place(0, i, 1)] = 32738;
        signs[place(0, i, 0)] = i % 2 == 0 ? 32767 : -32767;
        signs[place(0, i, 1)] = i % 2 == 0 ? 32738 : -32738;
    }
    expect_exact(ends, signs);
}

}  // namespace
}  // namespace nanoatlas::kernels::kokkos
