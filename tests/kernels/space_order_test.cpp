// The order of rows in space: a permutation, and its shares.
#include "kernels/kokkos/space_order.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/random.hpp"

namespace nanoatlas::kernels::kokkos {
namespace {

using Order = std::vector<std::int32_t>;

// Clumps of unequal size, some rows the same.
std::vector<double> draw_rows(std::size_t n, std::size_t columns, std::uint64_t trial) {
    std::vector<double> rows;
    for (std::size_t i = 0; i < n; ++i) {
        base::Random random(81, trial, i % 13 == 12 ? i - 1 : i);
        const auto clump = random.below(1 + random.below(7));
        for (std::size_t c = 0; c < columns; ++c)
            rows.push_back(5 * base::Random(82, trial, clump, c).normal() + random.normal());
    }
    return rows;
}

void expect_shares_of_one_order(const std::vector<double>& rows, std::size_t columns,
                                std::size_t leaf, int parts, const std::string& what) {
    const auto n = rows.size() / columns;
    const auto whole = space_order(rows, columns, leaf);
    auto sorted = whole;
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(sorted[i], static_cast<std::int32_t>(i)) << what;
    Order together;
    for (int part = 0; part < parts; ++part) {
        const auto share = space_order(rows, columns, leaf, {part, parts});
        const auto even = static_cast<double>(n) / parts;
        ASSERT_NEAR(static_cast<double>(share.size()), even, even / 32 + 8) << what;
        together.insert(together.end(), share.begin(), share.end());
    }
    ASSERT_EQ(together, whole) << what;
}

TEST(SpaceOrder, shares_together_are_the_whole) {
    for (std::uint64_t trial = 0; trial < 30; ++trial) {
        base::Random random(83, trial);
        const auto n = 1 + random.below(3000), columns = 1 + random.below(20);
        const std::size_t leaf = trial % 2 == 0 ? 32 : 8;
        const auto parts = 1 + static_cast<int>(random.below(9));
        expect_shares_of_one_order(draw_rows(n, columns, trial), columns, leaf, parts,
                                   fmt::format("{} x {} in {} parts", n, columns, parts));
    }
}

TEST(SpaceOrder, of_fewer_rows_than_shares) {
    for (const std::size_t n : {0, 1, 3, 7})
        expect_shares_of_one_order(draw_rows(n, 9, 5), 9, 32, 11, fmt::format("{} rows", n));
}

}  // namespace
}  // namespace nanoatlas::kernels::kokkos
