// Parts: right shares, whole groups, and a function of the content alone.
#include "ingest/parts.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/check.hpp"
#include "base/random.hpp"

namespace nanoatlas::testing {
namespace {

using store::Part;

struct Table {
    std::vector<std::int32_t> label;
    std::vector<std::int64_t> group;
    std::vector<std::uint64_t> checksum;
    std::vector<std::optional<Part>> fixed;

    void add(std::int32_t of_class, std::int64_t of_group = -1, std::optional<Part> part = {}) {
        const auto row = static_cast<std::int64_t>(label.size());
        label.push_back(of_class);
        group.push_back(of_group < 0 ? row : of_group);
        checksum.push_back(base::mix(static_cast<std::uint64_t>(row) + 77));
        fixed.push_back(part);
    }
    std::vector<Part> parts() const { return ingest::choose_parts(label, group, checksum, fixed); }
};

std::array<int, 3> counts(const std::vector<Part>& parts, const std::vector<std::int32_t>& label,
                          std::int32_t of_class) {
    std::array<int, 3> count{};
    for (std::size_t i = 0; i < parts.size(); ++i)
        if (label[i] == of_class) ++count[static_cast<std::size_t>(parts[i])];
    return count;
}

TEST(Parts, seventy_fifteen_fifteen_in_each_class) {
    Table table;
    for (int i = 0; i < 1000; ++i) table.add(i % 10 == 0 ? 0 : 1);
    for (int i = 0; i < 40; ++i) table.add(-1);
    const auto parts = table.parts();
    EXPECT_EQ(counts(parts, table.label, 0), (std::array{70, 15, 15}));
    EXPECT_EQ(counts(parts, table.label, 1), (std::array{630, 135, 135}));
    EXPECT_EQ(counts(parts, table.label, -1), (std::array{28, 6, 6}));
}

TEST(Parts, tiny_classes_still_have_something_to_learn_from) {
    for (int size = 1; size <= 12; ++size) {
        Table table;
        for (int i = 0; i < size; ++i) table.add(0);
        const auto count = counts(table.parts(), table.label, 0);
        EXPECT_GE(count[0], 1) << size;
        EXPECT_GE(count[0], size / 2) << size;
        EXPECT_EQ(count[2] > 0, size >= 3) << size;
    }
    EXPECT_TRUE(Table{}.parts().empty());
}

TEST(Parts, groups_stay_whole_and_shares_close) {
    base::Random random(4);
    for (int trial = 0; trial < 20; ++trial) {
        Table table;
        while (table.label.size() < 600) {
            const auto first = static_cast<std::int64_t>(table.label.size());
            for (auto members = 1 + random.below(12); members > 0; --members) table.add(0, first);
        }
        const auto parts = table.parts();
        for (std::size_t i = 0; i < parts.size(); ++i)
            ASSERT_EQ(parts[i], parts[static_cast<std::size_t>(table.group[i])]);
        const auto count = counts(parts, table.label, 0);
        const auto total = static_cast<double>(parts.size());
        EXPECT_NEAR(count[0] / total, 0.70, 0.02);
        EXPECT_NEAR(count[1] / total, 0.15, 0.02);
    }
}

TEST(Parts, do_not_depend_on_the_order_of_the_rows) {
    Table table, reversed;
    constexpr int rows = 200;
    for (int i = 0; i < rows; ++i) table.add(i % 3);
    for (int i = rows - 1; i >= 0; --i) reversed.add(i % 3);
    reversed.checksum = {table.checksum.rbegin(), table.checksum.rend()};
    auto parts = table.parts();
    std::reverse(parts.begin(), parts.end());
    EXPECT_EQ(parts, reversed.parts());
}

TEST(Parts, a_given_test_set_stays_and_draws_its_duplicates) {
    Table table;
    for (int i = 0; i < 200; ++i) table.add(0);
    for (int i = 0; i < 50; ++i) table.add(0, i == 0 ? 7 : -1, Part::test);
    const auto parts = table.parts();
    const auto count = counts(parts, table.label, 0);
    EXPECT_EQ(count[2], 51);  // the 50, and the row that one of them repeats
    EXPECT_EQ(parts[7], Part::test);
    EXPECT_EQ(count[1], 30);
}

TEST(Parts, names) {
    EXPECT_EQ(ingest::parse_part("train"), Part::train);
    EXPECT_EQ(ingest::parse_part("val"), Part::validation);
    EXPECT_EQ(ingest::parse_part("2"), Part::test);
    EXPECT_THROW(ingest::parse_part("holdout"), InputError);
}

}  // namespace
}  // namespace nanoatlas::testing
