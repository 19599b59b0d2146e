#include "kernels/kokkos/products.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.hpp"
#include "kernels/kokkos/axis_scatter.hpp"
#include "kernels/reference/pca.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/shrunk.hpp"

namespace nanoatlas::kernels {
namespace {

std::vector<float> random_values(std::size_t count, base::Random random) {
    std::vector<float> values(count);
    for (auto& value : values) value = static_cast<float>(random.normal());
    return values;
}

std::vector<double> random_means(std::size_t count, base::Random random) {
    std::vector<double> means(count);
    for (auto& value : means) value = 5 * random.normal();
    return means;
}

/// values [n, columns] less the mean of each column, in f32.
std::vector<float> centred(std::vector<float> values, const std::vector<double>& mean) {
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = static_cast<float>(values[i] - mean[i % mean.size()]);
    return values;
}

/// The lower triangle of the products of columns of rows [n, columns].
std::vector<double> expected_column_products(const std::vector<float>& rows, std::size_t columns) {
    const auto n = rows.size() / columns;
    std::vector<float> transposed(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i)
        transposed[i % columns * n + i / columns] = rows[i];
    const auto whole =
        reference::row_products(transposed, transposed, static_cast<std::int64_t>(n));
    std::vector<double> lower;
    for (std::size_t p = 0; p < columns; ++p)
        lower.insert(lower.end(), whole.begin() + static_cast<std::ptrdiff_t>(p * columns),
                     whole.begin() + static_cast<std::ptrdiff_t>(p * columns + p + 1));
    return lower;
}

TEST(Products, of_rows_agree_with_sums_written_out_on_random_shapes) {
    for (int trial = 0; trial < testing::shrunk(40); ++trial) {
        base::Random random(60, trial);
        const auto k = 1 + random.below(120), columns = 1 + random.below(700);
        const auto axes = random_means(k * columns, base::Random(62, trial));
        const auto mean = random_means(columns, base::Random(66, trial));
        kokkos::RowProducts products(mean, axes);
        for (const std::size_t m : {random.below(250), std::uint64_t{0}, random.below(7)}) {
            const auto rows = random_values(m * columns, base::Random(61, trial));
            std::vector<double> found(m * k);
            products.multiply(rows, found);
            for (std::size_t i = 0; i < found.size(); ++i) {
                double expected = 0, size = 0;
                for (std::size_t c = 0; c < columns; ++c) {
                    const double term =
                        (rows[i / k * columns + c] - mean[c]) * axes[i % k * columns + c];
                    expected += term;
                    size += std::abs(term);
                }
                ASSERT_NEAR(found[i], expected, 1e-14 * size);
            }
        }
    }
}

TEST(Products, of_columns_agree_with_reference_and_add_up) {
    for (int trial = 0; trial < testing::shrunk(30); ++trial) {
        base::Random random(63, trial);
        const auto columns = 1 + random.below(trial % 3 == 0 ? 330 : 40);
        const auto mean = random_means(columns, base::Random(67, trial));
        kokkos::ColumnProducts products(mean, 0);
        std::vector<float> all;
        for (int piece = 0; piece < 3; ++piece) {
            const auto rows = random_values(random.below(600) * columns, random);
            products.add(rows);
            all.insert(all.end(), rows.begin(), rows.end());
        }
        const auto found = products.sums();
        const auto expected = expected_column_products(centred(all, mean), columns);
        ASSERT_EQ(found.size(), expected.size());
        const auto square = [&](std::size_t p) { return expected[p * (p + 3) / 2]; };
        for (std::size_t p = 0; p < columns; ++p)
            for (std::size_t q = 0; q <= p; ++q)
                ASSERT_NEAR(found[p * (p + 1) / 2 + q], expected[p * (p + 1) / 2 + q],
                            1e-6 * std::sqrt(square(p) * square(q)));
    }
}

TEST(Products, of_columns_are_the_same_to_the_bit_in_any_order_of_the_pieces) {
    constexpr std::size_t columns = 130;
    const auto rows = random_values(1000 * columns, base::Random(68));
    const auto head = std::span(rows).first(600 * columns),
               tail = std::span(rows).last(400 * columns);
    const std::vector<double> mean(columns, 0.25);
    kokkos::ColumnProducts forth(mean, 1.5 * 0x1p20), back(mean, 1.5 * 0x1p20);
    forth.add(head);
    forth.add(tail);
    back.add(tail);
    back.add(head);
    EXPECT_EQ(forth.sums(), back.sums());
}

TEST(Products, of_columns_are_rounded_to_the_anchor) {
    kokkos::ColumnProducts products(std::vector<double>(20), 1.5 * 0x1p52);
    products.add(random_values(300 * 20, base::Random(65)));
    for (const double sum : products.sums()) EXPECT_EQ(sum, std::round(sum));
}

/// The length of the longest vector of a block [count, length].
double longest(std::span<const double> block, std::size_t length) {
    double longest = 0;
    for (std::size_t at = 0; at < block.size(); at += length) {
        double square = 0;
        for (const double value : block.subspan(at, length)) square += value * value;
        longest = std::max(longest, std::sqrt(square));
    }
    return longest;
}

TEST(AxisScatter, agrees_with_reference_on_random_shapes_and_adds_up) {
    for (int trial = 0; trial < 30; ++trial) {
        base::Random random(70, trial);
        const auto columns = 1 + random.below(trial % 3 == 0 ? 700 : 50);
        const auto k = 1 + random.below(trial % 4 == 0 ? 210 : 30);
        const auto mean = random_means(columns, base::Random(71, trial));
        const auto axes = random_means(k * columns, base::Random(72, trial));
        kokkos::AxisScatter scatter(mean, axes, 0);
        std::vector<float> all;
        for (int piece = 0; piece < 3; ++piece) {
            const auto rows = random_values(random.below(400) * columns, random);
            scatter.add(rows);
            all.insert(all.end(), rows.begin(), rows.end());
        }
        const auto found = scatter.sums();
        const auto expected = reference::axis_scatter(all, mean, axes);
        ASSERT_EQ(found.size(), expected.size());
        const double scale = longest(expected, columns);
        for (std::size_t i = 0; i < found.size(); ++i)
            ASSERT_NEAR(found[i], expected[i], 1e-6 * scale) << columns << " columns, axis " << i;
    }
}

TEST(AxisScatter, is_the_same_to_the_bit_in_any_order_of_the_pieces_and_rounded_to_the_anchor) {
    constexpr std::size_t columns = 130, k = 20;
    const auto rows = random_values(1000 * columns, base::Random(73));
    const auto head = std::span(rows).first(600 * columns),
               tail = std::span(rows).last(400 * columns);
    const std::vector<double> mean(columns, 0.25);
    const auto axes = random_means(k * columns, base::Random(74));
    constexpr double anchor = 1.5 * 0x1p32;
    kokkos::AxisScatter forth(mean, axes, anchor), back(mean, axes, anchor);
    forth.add(head);
    forth.add(tail);
    back.add(tail);
    back.add(head);
    EXPECT_EQ(forth.sums(), back.sums());
    for (const double sum : forth.sums()) EXPECT_EQ(sum, (sum + anchor) - anchor);
}

}  // namespace
}  // namespace nanoatlas::kernels
