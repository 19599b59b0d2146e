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
#include "kernels/reference/neighbours.hpp"

namespace nanoatlas::kernels {
namespace {

struct Rows {
    std::vector<double> values;
    std::size_t count = 0, columns = 0;
};

Rows rows_of(std::size_t count, std::size_t columns,
             const std::function<double(std::size_t)>& value) {
    Rows rows{std::vector<double>(count * columns), count, columns};
    for (std::size_t i = 0; i < rows.values.size(); ++i) rows.values[i] = value(i);
    return rows;
}

kokkos::Frame frame_of(const Rows& rows) {
    kokkos::Frame frame{std::vector<double>(rows.columns), 0};
    for (std::size_t i = 0; i < rows.values.size(); ++i)
        frame.centre[i % rows.columns] += rows.values[i] / static_cast<double>(rows.count);
    for (std::size_t i = 0; i < rows.values.size(); ++i)
        frame.largest =
            std::max(frame.largest, std::abs(rows.values[i] - frame.centre[i % rows.columns]));
    if (frame.largest == 0) frame.largest = 1;
    return frame;
}

// Candidates come by in blocks of the given size, the last block first.
reference::NeighbourLists search(const Rows& rows, std::size_t k, std::size_t block) {
    reference::NeighbourLists lists{std::vector<std::int64_t>(rows.count * k),
                                    std::vector<double>(rows.count * k)};
    const auto frame = frame_of(rows);
    kokkos::NeighbourSearch search(rows.values, kokkos::search_order(rows.values, frame), 0, frame,
                                   lists.index, lists.distance);
    std::vector<std::size_t> starts;
    for (std::size_t first = 0; first < rows.count; first += block) starts.push_back(first);
    for (auto first = starts.rbegin(); first != starts.rend(); ++first) {
        const auto candidates = std::span(rows.values)
                                    .subspan(*first * rows.columns,
                                             std::min(block, rows.count - *first) * rows.columns);
        search.add(candidates, kokkos::search_order(candidates, frame),
                   static_cast<std::int64_t>(*first));
    }
    search.finish();
    return lists;
}

void expect_exact(const Rows& rows, std::size_t k, std::size_t block, const std::string& what) {
    const auto expected = reference::nearest_neighbours(rows.values, rows.columns, k);
    const auto found = search(rows, k, block);
    ASSERT_EQ(found.index, expected.index) << what;
    for (std::size_t i = 0; i < expected.distance.size(); ++i)
        ASSERT_NEAR(found.distance[i], expected.distance[i],
                    1e-13 * (expected.distance[i] + 1e-300))
            << what;
}

class Neighbours : public ::testing::Test {
  protected:
    static void SetUpTestSuite() { runtime_ = std::make_unique<kokkos::Runtime>(2); }
    static void TearDownTestSuite() { runtime_.reset(); }

  private:
    static inline std::unique_ptr<kokkos::Runtime> runtime_;
};

TEST_F(Neighbours, agree_with_reference_on_random_shapes) {
    for (std::uint64_t trial = 0; trial < 40; ++trial) {
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
    const auto rows = rows_of(2600, 2, [&](std::size_t) { return random.uniform(); });
    expect_exact(rows, 300, 2600, "tiles");
}

// Of all kinds that blur bounds or balls, drawn at random.
TEST_F(Neighbours, awkward_rows_of_random_shapes) {
    using Draw = std::function<double(base::Random&, std::size_t row, std::size_t column)>;
    const std::vector<std::pair<std::string, Draw>> kinds = {
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
    std::uint64_t trial = 0;
    for (const auto& [name, draw] : kinds)
        for (int repeat = 0; repeat < 4; ++repeat) {
            base::Random random(44, ++trial);
            const auto count = 2 + random.below(500), columns = 1 + random.below(40);
            const auto rows = rows_of(count, columns, [&](std::size_t i) {
                return draw(random, i / columns, i % columns);
            });
            const auto k = repeat == 0 ? count - 1 : 1 + random.below(count - 1);
            expect_exact(rows, k, 1 + random.below(count),
                         fmt::format("{}, {} x {}, k {}", name, count, columns, k));
        }
}

TEST_F(Neighbours, lists_of_a_thousand) {
    base::Random random(17);
    expect_exact(rows_of(1100, 9, [&](std::size_t) { return random.normal(); }), 1000, 700, "long");
}

TEST_F(Neighbours, rows_of_4096_columns) {
    base::Random random(18);
    expect_exact(rows_of(120, 4096, [&](std::size_t) { return random.normal(); }), 20, 70, "wide");
}

}  // namespace
}  // namespace nanoatlas::kernels
