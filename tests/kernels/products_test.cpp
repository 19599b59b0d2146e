#include "kernels/kokkos/products.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "base/random.hpp"
#include "kernels/kokkos/axis_scatter.hpp"
#include "kernels/reference/pca.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/shrunk.hpp"

namespace nanoatlas::kernels {
namespace {

template <class T = float>
std::vector<T> random_values(std::size_t count, base::Random random) {
    std::vector<T> values(count);
    for (auto& value : values) value = static_cast<T>(random.normal());
    return values;
}

std::vector<double> random_means(std::size_t count, base::Random random) {
    std::vector<double> means(count);
    for (auto& value : means) value = 5 * random.normal();
    return means;
}

/// values [n, columns] less the mean of each column, rounded to P.
template <class P, class T>
std::vector<P> centred(const std::vector<T>& values, const std::vector<double>& mean) {
    std::vector<P> centred;
    for (std::size_t i = 0; i < values.size(); ++i)
        centred.push_back(static_cast<P>(values[i] - mean[i % mean.size()]));
    return centred;
}

/// The lower triangle of the products of columns of rows [n, columns].
template <class P>
std::vector<double> expected_column_products(const std::vector<P>& rows, std::size_t columns) {
    const auto n = rows.size() / columns;
    std::vector<P> transposed(rows.size());
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

/// Rows of T with axes, written out: each found product within 1e-14 of the sizes of its terms.
template <class T>
void check_products_of_rows(kokkos::RowProducts& products, const std::vector<T>& rows,
                            const std::vector<double>& mean, const std::vector<double>& axes) {
    const auto columns = mean.size(), m = rows.size() / columns, k = axes.size() / columns;
    std::vector<double> found(m * k), squares(m);
    products.multiply(rows, found, squares);
    for (std::size_t i = 0; i < found.size(); ++i) {
        double expected = 0, size = 0;
        for (std::size_t c = 0; c < columns; ++c) {
            const double term = (rows[i / k * columns + c] - mean[c]) * axes[i % k * columns + c];
            expected += term;
            size += std::abs(term);
        }
        ASSERT_NEAR(found[i], expected, 1e-14 * size);
    }
    for (std::size_t i = 0; i < m; ++i) {
        double expected = 0;
        for (std::size_t c = 0; c < columns; ++c)
            expected += std::pow(rows[i * columns + c] - mean[c], 2);
        ASSERT_NEAR(squares[i], expected, 1e-14 * expected);
    }
    std::vector<double> again(found.size());
    products.multiply(rows, again);
    ASSERT_EQ(found, again);
}

TEST(Products, of_rows_agree_with_sums_written_out_on_random_shapes) {
    for (int trial = 0; trial < testing::shrunk(40); ++trial) {
        base::Random random(60, trial);
        const auto k = 1 + random.below(120), columns = 1 + random.below(700);
        const auto axes = random_means(k * columns, base::Random(62, trial));
        const auto mean = random_means(columns, base::Random(66, trial));
        kokkos::RowProducts products(mean, axes);
        for (const std::size_t m : {random.below(250), std::uint64_t{0}, random.below(7)}) {
            const base::Random of_rows(61, trial);
            check_products_of_rows(products, random_values<float>(m * columns, of_rows), mean,
                                   axes);
            check_products_of_rows(products, random_values<double>(m * columns, of_rows), mean,
                                   axes);
        }
    }
}

/// Rows of T, products of P, within that share of what two columns' lengths allow.
template <class P, class T>
void check_products_of_columns(double tolerance) {
    for (int trial = 0; trial < testing::shrunk(30); ++trial) {
        base::Random random(63, trial);
        const auto columns = 1 + random.below(trial % 3 == 0 ? 330 : 40);
        const auto mean = random_means(columns, base::Random(67, trial));
        kokkos::ColumnProducts<P> products(mean, 0);
        std::vector<T> all;
        for (int piece = 0; piece < 3; ++piece) {
            const auto rows = random_values<T>(random.below(600) * columns, random);
            products.add(rows);
            all.insert(all.end(), rows.begin(), rows.end());
        }
        const auto found = products.sums();
        using Centred = std::conditional_t<std::is_same_v<P, double>, double, float>;
        const auto expected = expected_column_products(centred<Centred>(all, mean), columns);
        ASSERT_EQ(found.size(), expected.size());
        const auto square = [&](std::size_t p) { return expected[p * (p + 3) / 2]; };
        for (std::size_t p = 0; p < columns; ++p)
            for (std::size_t q = 0; q <= p; ++q)
                ASSERT_NEAR(found[p * (p + 1) / 2 + q], expected[p * (p + 1) / 2 + q],
                            tolerance * std::sqrt(square(p) * square(q)));
    }
}

TEST(Products, of_columns_agree_with_reference_and_add_up) {
    check_products_of_columns<float, float>(1e-6);
    check_products_of_columns<float, double>(1e-6);
    check_products_of_columns<double, float>(1e-14);
    check_products_of_columns<double, double>(1e-14);
    // Half a step, which is a 46,332nd of a column's length, for each of 256 values on both sides.
    check_products_of_columns<std::int16_t, float>(3.5e-4);
    check_products_of_columns<std::int16_t, double>(3.5e-4);
}

TEST(Products, of_columns_in_16_bits_take_columns_of_any_scale) {
    constexpr std::size_t columns = 40, rows = 700;
    auto values = random_values(rows * columns, base::Random(69));
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto column = i % columns;
        values[i] *= std::pow(10.0F, static_cast<float>(column) - 30);
        if (column == 3) values[i] = 0;
        if (column == 35 && i / columns % 300 != 7) values[i] = 0;  // one value of 256 is all
    }
    const std::vector<double> mean(columns);
    kokkos::ColumnProducts<std::int16_t> products(mean, 0);
    products.add(values);
    const auto found = products.sums();
    const auto expected = expected_column_products(values, columns);
    const auto square = [&](std::size_t p) { return expected[p * (p + 3) / 2]; };
    for (std::size_t p = 0; p < columns; ++p)
        for (std::size_t q = 0; q <= p; ++q)
            ASSERT_NEAR(found[p * (p + 1) / 2 + q], expected[p * (p + 1) / 2 + q],
                        3.5e-4 * std::sqrt(square(p) * square(q)) +
                            1e-14 * std::sqrt(std::max(square(p), square(q))))
                << p << ", " << q;
}

template <class Products>
void check_order_of_pieces() {
    constexpr std::size_t columns = 130;
    const auto rows = random_values(1000 * columns, base::Random(68));
    const auto head = std::span(rows).first(600 * columns),
               tail = std::span(rows).last(400 * columns);
    const std::vector<double> mean(columns, 0.25);
    Products forth(mean, 1.5 * 0x1p20), back(mean, 1.5 * 0x1p20);
    forth.add(head);
    forth.add(tail);
    back.add(tail);
    back.add(head);
    EXPECT_EQ(forth.sums(), back.sums());
}

TEST(Products, of_columns_are_the_same_to_the_bit_in_any_order_of_the_pieces) {
    check_order_of_pieces<kokkos::ColumnProducts<std::int16_t>>();
    check_order_of_pieces<kokkos::ColumnProducts<float>>();
    check_order_of_pieces<kokkos::ColumnProducts<double>>();
}

TEST(Products, of_columns_are_rounded_to_the_anchor) {
    kokkos::ColumnProducts<float> products(std::vector<double>(20), 1.5 * 0x1p52);
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

template <class T>
void check_axis_scatter() {
    for (int trial = 0; trial < 30; ++trial) {
        base::Random random(70, trial);
        const auto columns = 1 + random.below(trial % 3 == 0 ? 700 : 50);
        const auto k = 1 + random.below(trial % 4 == 0 ? 210 : 30);
        const auto mean = random_means(columns, base::Random(71, trial));
        const auto axes = random_means(k * columns, base::Random(72, trial));
        kokkos::AxisScatter scatter(mean, axes, 0);
        std::vector<T> all;
        for (int piece = 0; piece < 3; ++piece) {
            const auto rows = random_values<T>(random.below(400) * columns, random);
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

TEST(AxisScatter, agrees_with_reference_on_random_shapes_and_adds_up) {
    check_axis_scatter<float>();
    check_axis_scatter<double>();
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
