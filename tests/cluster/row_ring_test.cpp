// Rows that pass round the ranks: all of them come by once, with their order, whole or in parts.
#include "cluster/row_ring.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <numeric>

#include "base/random.hpp"
#include "tests/mpi_test.hpp"

namespace nanoatlas::cluster {
namespace {

using testing::world;

constexpr std::size_t columns = 3;

double value_of(std::int64_t row, std::size_t column) {
    return static_cast<double>(row) + 0.1 * static_cast<double>(column);
}

// Rows in a ring; the order of each block is its own backwards.
struct Block {
    comm::RowBlock rows;
    std::vector<double> values;
    std::vector<std::int32_t> order;
    std::vector<float> norm2, leading;  // 1 and 2 a row
    std::vector<std::int16_t> numbers;  // 3 a row, filled up to a group of 4

    explicit Block(std::int64_t total)
        : rows(comm::row_block(total, world())), order(static_cast<std::size_t>(rows.count)) {
        for (auto row = rows.first; row < rows.end(); ++row)
            for (std::size_t c = 0; c < columns; ++c) values.push_back(value_of(row, c));
        for (auto row = rows.first; row < rows.end(); ++row)
            leading.insert(leading.end(), {static_cast<float>(row), static_cast<float>(-row)});
        for (auto row = rows.first; row < rows.end(); ++row) {
            norm2.push_back(static_cast<float>(2 * row));
            numbers.insert(numbers.end(), 3, static_cast<std::int16_t>(row));
        }
        numbers.resize((order.size() + 3) / 4 * 4 * 3, -1);
        std::iota(order.rbegin(), order.rend(), 0);
    }
    OrderedRows ordered() const {
        kernels::kokkos::LayoutView layout;
        layout.order = order;
        layout.norm2 = norm2;
        layout.leading = leading;
        layout.numbers = numbers;
        layout.step = norm2;
        return {values, columns, layout, {.norm2 = 1, .leading = 2, .numbers = 3, .group = 4}};
    }
};

void expect_all_once(std::int64_t total, std::int64_t at_once) {
    const auto what = fmt::format("{} rows, {} at once", total, at_once);
    const Block own(total);
    RowRing ring(own.ordered(), blocks_of_all_ranks(total, world()), world(), at_once);
    std::vector<int> met(static_cast<std::size_t>(total));
    ring.go_round([&] {
        const auto present = ring.present();
        ASSERT_EQ(ring.first_row(), present.first) << what;
        ASSERT_EQ(ring.rows().size(), static_cast<std::size_t>(present.count) * columns) << what;
        ASSERT_EQ(ring.order().size(), static_cast<std::size_t>(present.count)) << what;
        ASSERT_TRUE(ring.step() == 0 || present.count <= at_once) << what;
        ASSERT_EQ(ring.layout().numbers.size(), (ring.order().size() + 3) / 4 * 4 * 3) << what;
        for (std::int64_t i = 0; i < present.count; ++i) {
            const auto at = static_cast<std::size_t>(i);
            EXPECT_EQ(ring.order()[at], present.count - 1 - i) << what;
            const auto& layout = ring.layout();
            EXPECT_EQ(layout.norm2[at], static_cast<float>(2 * (present.first + i))) << what;
            EXPECT_EQ(layout.step[at], layout.norm2[at]) << what;
            EXPECT_EQ(layout.leading[2 * at + 1], static_cast<float>(-(present.first + i))) << what;
            EXPECT_EQ(layout.numbers[3 * at], static_cast<std::int16_t>(present.first + i)) << what;
            ++met[static_cast<std::size_t>(present.first + i)];
            for (std::size_t c = 0; c < columns; ++c)
                EXPECT_EQ(ring.rows()[at * columns + c], value_of(present.first + i, c)) << what;
        }
    });
    EXPECT_EQ(met, std::vector<int>(static_cast<std::size_t>(total), 1)) << what;
}

TEST(RowRing, all_rows_come_by_once) {
    for (std::uint64_t trial = 0; trial < 20; ++trial) {
        base::Random random(71, trial);
        const auto total = 1 + static_cast<std::int64_t>(random.below(60));
        expect_all_once(total, total);
        expect_all_once(total, 4 + 4 * static_cast<std::int64_t>(random.below(5)));
    }
}

TEST(RowRing, rows_of_the_next_ranks_come_by) {
    const std::int64_t total = 23, at_once = 4;
    const auto ranges = blocks_of_all_ranks(total, world());
    const Block own(total);
    const int hops = world().size() / 2;
    RowRing ring(own.ordered(), ranges, world(), at_once, hops);
    std::vector<int> met(static_cast<std::size_t>(total));
    ring.go_round([&] {
        const auto rank = (world().rank() + ring.hop(ring.step())) % world().size();
        const auto& theirs = ranges[static_cast<std::size_t>(rank)];
        for (auto row = ring.present().first; row < ring.present().end(); ++row) {
            EXPECT_TRUE(row >= theirs.first && row < theirs.end());
            EXPECT_EQ(ring.rows()[static_cast<std::size_t>(row - ring.first_row()) * columns],
                      value_of(row, 0));
            ++met[static_cast<std::size_t>(row)];
        }
    });
    for (int hop = 0; hop < world().size(); ++hop) {
        const auto& theirs =
            ranges[static_cast<std::size_t>((world().rank() + hop) % world().size())];
        for (auto row = theirs.first; row < theirs.end(); ++row)
            EXPECT_EQ(met[static_cast<std::size_t>(row)], hop <= hops ? 1 : 0);
    }
}

TEST(RowRing, more_ranks_than_rows) {
    expect_all_once(1, 4);
}

TEST(RowRing, order_of_a_part_counts_from_its_first_row) {
    const std::vector<std::int32_t> order{4, 0, 3, 1, 2};
    EXPECT_EQ(order_of_part(order, {.first = 10, .count = 5}, {.first = 12, .count = 2}),
              (std::vector<std::int32_t>{1, 0}));
}

}  // namespace
}  // namespace nanoatlas::cluster
