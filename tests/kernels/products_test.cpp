#include "kernels/kokkos/products.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.hpp"
#include "kernels/reference/pca.hpp"
#include "tests/kokkos_environment.hpp"

namespace nanoatlas::kernels {
namespace {

std::vector<float> random_values(std::size_t count, base::Random random) {
    std::vector<float> values(count);
    for (auto& value : values) value = static_cast<float>(random.normal());
    return values;
}

TEST(Products, of_rows_agree_with_reference_on_random_shapes) {
    for (int trial = 0; trial < 40; ++trial) {
        base::Random random(60, trial);
        const auto m = random.below(100), n = random.below(80), columns = 1 + random.below(700);
        const auto a = random_values(m * columns, base::Random(61, trial));
        const auto b = random_values(n * columns, base::Random(62, trial));
        std::vector<double> products(m * n);
        kokkos::row_products(a, b, columns, products);
        const auto expected = reference::row_products(a, b, static_cast<std::int64_t>(columns));
        for (std::size_t i = 0; i < products.size(); ++i)
            ASSERT_NEAR(products[i], expected[i], 1e-6 * static_cast<double>(columns));
    }
}

TEST(Products, of_columns_agree_with_reference_and_add_up) {
    for (int trial = 0; trial < 30; ++trial) {
        base::Random random(63, trial);
        const auto rows = 1 + random.below(600), columns = 1 + random.below(90);
        const auto tile = random_values(rows * columns, base::Random(64, trial));
        std::vector<float> transposed(tile.size());
        for (std::size_t i = 0; i < tile.size(); ++i)
            transposed[i % columns * rows + i / columns] = tile[i];
        const auto expected =
            reference::row_products(transposed, transposed, static_cast<std::int64_t>(rows));
        std::vector<double> sums(columns * columns, 0.5);
        kokkos::add_column_products(tile, columns, 0, sums);
        for (std::size_t p = 0; p < columns; ++p)
            for (std::size_t q = 0; q <= p; ++q)
                ASSERT_NEAR(sums[p * columns + q], 0.5 + expected[p * columns + q],
                            1e-6 * static_cast<double>(rows));
    }
}

TEST(Products, of_columns_are_rounded_to_the_anchor) {
    const auto tile = random_values(300 * 20, base::Random(65));
    std::vector<double> sums(20 * 20);
    kokkos::add_column_products(tile, 20, 1.5 * 0x1p52, sums);
    for (std::size_t p = 0; p < 20; ++p)
        for (std::size_t q = 0; q <= p; ++q)
            EXPECT_EQ(sums[p * 20 + q], std::round(sums[p * 20 + q]));
}

}  // namespace
}  // namespace nanoatlas::kernels
