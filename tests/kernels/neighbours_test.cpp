// The tiled neighbour search against all distances in f64, sorted.
#include "kernels/kokkos/neighbours.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "kernels/kokkos/runtime.hpp"
#include "tests/kernels/neighbour_searches.hpp"
#include "tests/shrunk.hpp"

namespace nanoatlas::kernels {
namespace {

void expect_exact(const Rows& rows, const kokkos::Frame& frame, std::size_t k, std::size_t block,
                  const std::string& what) {
    const auto expected = reference::nearest_neighbours(rows.values, rows.columns, k);
    std::vector ways{search(rows, frame, k, block), search_in_ring(rows, frame, k, block)};
    if (kokkos::route_of(frame) == kokkos::SearchRoute::pairs)
        ways.push_back(search_on_visits(rows, frame, k, block));
    for (const auto& found : ways) {
        ASSERT_EQ(found.index, expected.index) << what;
        for (std::size_t i = 0; i < expected.distance.size(); ++i)
            ASSERT_NEAR(found.distance[i], expected.distance[i],
                        1e-13 * (expected.distance[i] + 1e-300))
                << what;
    }
}

void expect_exact(const Rows& rows, std::size_t k, std::size_t block, const std::string& what) {
    expect_exact(rows, frame_of(rows), k, block, what);
}

using Draw = std::function<double(base::Random&, std::size_t row, std::size_t column)>;

// That blur bounds or balls.
std::vector<std::pair<std::string, Draw>> awkward_kinds() {
    return {
        {"grid", [](auto& random, auto, auto) { return double(random.below(3)); }},
        {"duplicates",
         [](auto&, auto row, auto column) { return base::Random(41, row % 17, column).normal(); }},
        {"collinear",
         [](auto&, auto row, auto column) {
             return base::Random(42, row).normal() * static_cast<double>(column + 1);
         }},
        {"constant columns",
         [](auto& random, auto, auto column) { return column % 3 == 0 ? random.normal() : 7.25; }},
        {"far and tight", [](auto& random, auto, auto) { return 1e8 + 1e-3 * random.normal(); }},
        {"denormal", [](auto& random, auto row,
                        auto) { return row == 0 ? 1.0 : 5e-324 * double(random.below(1000)); }},
        {"clumps",
         [](auto& random, auto row, auto column) {
             return 30 * base::Random(43, row % 7, column).normal() + random.normal();
         }},
        {"one axis",
         [](auto& random, auto, auto column) {
             return column == 0 ? random.normal() : 1e-5 * random.normal();
         }},
    };
}

// Few leading directions and noise in all.
Rows low_rank_rows(std::size_t count, std::size_t columns, std::size_t rank, double noise) {
    return rows_of(count, columns, [&](std::size_t i) {
        base::Random at(51, i / columns, i % columns);
        double value = noise * at.normal();
        for (std::size_t r = 0; r < rank; ++r)
            value += base::Random(52, i / columns, r).normal() *
                     base::Random(53, r, i % columns).normal();
        return value;
    });
}

class Neighbours : public ::testing::Test {
  protected:
    static void SetUpTestSuite() { runtime_ = std::make_unique<kokkos::Runtime>(2); }
    static void TearDownTestSuite() { runtime_.reset(); }

  private:
    static inline std::unique_ptr<kokkos::Runtime> runtime_;
};

TEST_F(Neighbours, agree_with_reference_on_random_shapes) {
    for (int trial = 0; trial < testing::shrunk(40); ++trial) {
        base::Random random(11, trial);
        const auto count = 2 + random.below(400), columns = 1 + random.below(70);
        const auto k = 1 + random.below(std::min<std::uint64_t>(count - 1, 40));
        const auto rows = rows_of(count, columns, [&](std::size_t) { return random.normal(); });
        expect_exact(rows, k, 1 + count / 4 + random.below(count),
                     fmt::format("{} x {}, k {}", count, columns, k));
    }
}

TEST_F(Neighbours, equal_distances_go_by_index) {
    base::Random random(12);
    const auto rows =
        rows_of(500, 3, [&](std::size_t) { return static_cast<double>(random.below(6)); });
    for (const std::size_t k : {1, 7, 60, 499}) expect_exact(rows, k, 130, fmt::format("k {}", k));
}

TEST_F(Neighbours, survive_offsets_that_f32_cannot_hold) {
    base::Random random(13);
    const auto rows = rows_of(300, 5, [&](std::size_t) { return 1e8 + random.normal(); });
    expect_exact(rows, 20, 300, "offset");
}

// Two clumps so far apart that f32 tells none of their members apart: every bound overlaps.
TEST_F(Neighbours, survive_clumps_that_f32_blurs) {
    base::Random random(14);
    const auto rows = rows_of(900, 4, [&](std::size_t i) {
        return (i / 4 % 2 == 0 ? -1.0 : 1.0) + 1e-9 * random.normal();
    });
    expect_exact(rows, 10, 400, "clumps");
}

TEST_F(Neighbours, survive_outliers_and_tiny_values) {
    base::Random random(15);
    const auto rows = rows_of(400, 6, [&](std::size_t i) {
        return i / 6 == 17 ? 1e30 * random.normal()
                           : (i / 6 % 3 == 0 ? 1e-40 : 1.0) * random.normal();
    });
    expect_exact(rows, 15, 170, "outlier");
}

TEST_F(Neighbours, all_rows_equal) {
    expect_exact(rows_of(50, 2, [](std::size_t) { return 3.5; }), 10, 20, "equal");
}

TEST_F(Neighbours, many_tiles_and_long_lists) {
    base::Random random(16);
    const std::size_t count = testing::shrunk(2600);
    const auto rows = rows_of(count, 2, [&](std::size_t) { return random.uniform(); });
    expect_exact(rows, 300, count, "tiles");
}

TEST_F(Neighbours, awkward_rows_of_random_shapes) {
    const auto kinds = awkward_kinds();
    std::uint64_t trial = 0;
    for (const auto& [name, draw] : kinds)
        for (int repeat = 0; repeat < 4; ++repeat) {
            base::Random random(44, ++trial);
            const auto count = 2 + random.below(testing::shrunk(500)),
                       columns = 1 + random.below(40);
            const bool in_f32 = repeat % 2 == 1;
            auto rows = rows_of(count, columns, [&](std::size_t i) {
                const double value = draw(random, i / columns, i % columns);
                return in_f32 ? static_cast<float>(value) : value;
            });
            if (repeat == 3) rows.values.back() += 1e-9;  // a single one that f32 does not hold
            const auto k = repeat == 0 ? count - 1 : 1 + random.below(count - 1);
            expect_exact(rows, k, 1 + random.below(count),
                         fmt::format("{}, {} x {}, k {}", name, count, columns, k));
        }
}

// Rows of few columns, where hardly a panel would be passed over.
TEST_F(Neighbours, all_pairs_of_few_columns) {
    const auto kinds = awkward_kinds();
    for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
        base::Random random(22, kind);
        const auto count = 40 + random.below(700), columns = 1 + random.below(190);
        const auto k = 1 + random.below(30);
        const auto rows = rows_of(count, columns, [&](std::size_t i) {
            return kinds[kind].second(random, i / columns, i % columns);
        });
        auto frame = frame_of(rows);
        frame.compares_all = true;
        ASSERT_EQ(kokkos::route_of(frame), kokkos::SearchRoute::pairs);
        expect_exact(rows, frame, k, 300,
                     fmt::format("{}, {} x {}, k {}", kinds[kind].first, count, columns, k));
    }
}

TEST_F(Neighbours, lists_of_a_thousand) {
    base::Random random(17);
    expect_exact(rows_of(1100, 9, [&](std::size_t) { return random.normal(); }), 1000, 700, "long");
}

// All of them in many columns: without directions, and with such as tell little or nothing.
TEST_F(Neighbours, awkward_rows_in_many_columns) {
    std::uint64_t trial = 0;
    for (const auto& [name, draw] : awkward_kinds())
        for (int repeat = 0; repeat < 4; ++repeat) {
            base::Random random(45, ++trial);
            const auto count = 2 + random.below(testing::shrunk(300));
            const auto columns = kokkos::wide_columns + random.below(60);
            const bool in_f32 = repeat % 2 == 1;
            auto rows = rows_of(count, columns, [&](std::size_t i) {
                const double value = draw(random, i / columns, i % columns);
                return in_f32 ? static_cast<float>(value) : value;
            });
            if (repeat == 3) rows.values.back() += 1e-9;  // a single one that f32 does not hold
            const auto k = repeat == 0 ? count - 1 : 1 + random.below(count - 1);
            const auto what = fmt::format("{}, {} x {}, k {}", name, count, columns, k);
            const auto frame = frame_of(rows);
            ASSERT_EQ(kokkos::route_of(frame), kokkos::SearchRoute::pairs);
            expect_exact(rows, frame, k, count, what);  // among themselves
            expect_exact(rows, frame, k, 1 + random.below(count), what);
            const auto axes = with_axes(frame, 1 + random.below(20));
            ASSERT_EQ(kokkos::route_of(axes), kokkos::SearchRoute::leading);
            expect_exact(rows, axes, k, 1 + random.below(count), what);
        }
}

// Blocks of the pairs' way meet in rounds: even and odd numbers of them, and part of one.
TEST_F(Neighbours, pairs_of_blocks_meet_once) {
    base::Random random(46);
    constexpr std::size_t block = kokkos::pair_block_rows;
    const auto drawn = [&](std::size_t count) {
        return rows_of(count, 193, [&](std::size_t) { return random.normal(); });
    };
    for (const auto count : {block - 1, block, block + 1, 2 * block + 44, 3 * block + 1}) {
        const auto rows = drawn(count);
        expect_exact(rows, 20, count, fmt::format("{} rows", count));
        expect_exact(rows, 20, count / 3 + 1, fmt::format("{} rows in three blocks", count));
    }
    expect_exact(drawn(6 * block + 7), 20, 2 * block + 3, "of which each visits half of another");
}

// Nobody would see it in the lists.
TEST_F(Neighbours, wide_rows_are_laid_out_in_f32_if_that_holds_them) {
    base::Random random(48);
    auto rows = rows_of(50, kokkos::wide_columns,
                        [&](std::size_t) { return static_cast<float>(random.normal()); });
    const auto in_f32 = [&](const kokkos::Layout& layout) {
        const std::span<const float> exact(layout.exact);
        return std::vector<double>(exact.begin(), exact.end());
    };
    EXPECT_EQ(in_f32(kokkos::lay_out(rows.values, frame_of(rows))), rows.values);
    EXPECT_EQ(in_f32(kokkos::lay_out(rows.values, with_axes(frame_of(rows), 3))), rows.values);
    rows.values.back() += 1e-9;
    EXPECT_TRUE(in_f32(kokkos::lay_out(rows.values, frame_of(rows))).empty());
}

TEST_F(Neighbours, of_low_rank_by_directions) {
    const std::size_t columns = 260, rank = 6;
    const auto rows = low_rank_rows(700, columns, rank, 0.05);
    auto frame = frame_of(rows);
    // Axes turned pair by pair: orthogonal to rounding alone, and the rows' rest is large.
    frame.directions.assign(8 * columns, 0);
    for (std::size_t d = 0; d < 8; ++d) {
        frame.directions[d * columns + 2 * d] = std::cos(1.0 + static_cast<double>(d));
        frame.directions[d * columns + 2 * d + 1] = std::sin(1.0 + static_cast<double>(d));
    }
    frame.skew = 1e-15;
    for (const std::size_t k : {1, 30, 699}) expect_exact(rows, frame, k, 400, "turned");
}

// No pair of rows leaves 32 bits, and f64 differences decide between bounds that overlap.
TEST_F(Neighbours, rows_of_one_column_among_many) {
    base::Random random(47);
    const auto rows = rows_of(400, 1024, [&](std::size_t i) {
        const auto row = i / 1024, column = i % 1024;
        return column == row % 5 ? 1e3 * (1 + 1e-7 * random.normal()) : 1e-9 * random.normal();
    });
    expect_exact(rows, 25, 400, "one column");
    expect_exact(rows, with_axes(frame_of(rows), 5), 25, 150, "one column, by axes");
}

TEST_F(Neighbours, rows_of_4096_columns) {
    base::Random random(18);
    expect_exact(rows_of(120, 4096, [&](std::size_t) { return random.normal(); }), 20, 70, "wide");
}

// So much of memory that candidates are ranked in some windows of rows, one after the other.
TEST_F(Neighbours, of_rows_in_several_windows) {
    base::Random random(49);
    auto rows = rows_of(testing::shrunk(600), 4096,
                        [&](std::size_t) { return static_cast<float>(random.normal()); });
    expect_exact(rows, 30, rows.count, "in f32");
    expect_exact(rows, with_axes(frame_of(rows), 3), 30, rows.count * 3 / 4, "in f32, by axes");
    rows.values.back() += 1e-9;
    expect_exact(rows, 30, rows.count * 3 / 4, "in f64");
}

}  // namespace
}  // namespace nanoatlas::kernels
