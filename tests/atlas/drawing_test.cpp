// Colours, histograms, tiles, the order of the map, exemplars, and page frames.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "atlas/charts.hpp"
#include "atlas/exemplars.hpp"
#include "atlas/histogram.hpp"
#include "atlas/layout.hpp"
#include "atlas/model.hpp"
#include "atlas/palette.hpp"
#include "atlas/tiles.hpp"
#include "atlas/web.hpp"
#include "base/random.hpp"

namespace nanoatlas::atlas {
namespace {

Colour parse(const std::string& hex) {
    const auto channel = [&](std::size_t at) {
        return std::stoi(hex.substr(at, 2), nullptr, 16) / 255.0;
    };
    return {channel(1), channel(3), channel(5)};
}

double least_distance(const std::vector<Colour>& colours) {
    double least = 1;
    for (std::size_t i = 0; i < colours.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            least = std::min(least, colour_distance(colours[i], colours[j]));
    return least;
}

TEST(Palette, colours_are_told_apart) {
    for (const int count : {2, 8, 9, 20, 40}) {
        std::vector<Colour> colours;
        for (const auto& hex : palette(count)) colours.push_back(parse(hex));
        ASSERT_EQ(std::ssize(colours), count);
        EXPECT_GT(least_distance(colours), count <= 20 ? 0.07 : 0.04) << count;
        for (auto& colour : colours) {
            EXPECT_GT(colour_distance(colour, {1, 1, 1}), 0.15);
            EXPECT_GT(colour_distance(colour, parse("#12151a")), 0.15);
            colour = as_seen_by_deuteranope(colour);
        }
        if (count <= 8) {
            EXPECT_GT(least_distance(colours), 0.05) << "without green cones";
        }
    }
    EXPECT_TRUE(palette(0).empty());
}

TEST(Palette, oklch_of_known_colours) {
    EXPECT_EQ(hex(from_oklch(0.62796, 0.25768, 29.234)), "#ff0000");
    EXPECT_EQ(hex(from_oklch(1, 0, 0)), "#ffffff");
    EXPECT_EQ(hex(from_oklch(0, 0, 0)), "#000000");
}

TEST(LogHistogram, counts_decades) {
    const std::vector<double> values = {1e-9, 1.1e-9, 9.99e-9, 1e-8, 5e-7, NAN, 0, -1, INFINITY};
    const auto bins = log_bins(values);
    EXPECT_EQ(bins.first_decade, -9);
    EXPECT_EQ(bins.decades, 3);
    const auto histogram = log_histogram(values, bins);
    EXPECT_EQ(histogram.unknown, 4);
    EXPECT_EQ(histogram.counts[0], 2);
    EXPECT_EQ(histogram.counts[4], 1);
    EXPECT_EQ(histogram.counts[5], 1);  // an edge belongs to the bin above it
    EXPECT_EQ(std::accumulate(histogram.counts.begin(), histogram.counts.end(), std::int64_t{0}),
              5);
    EXPECT_EQ(log_bins(std::vector<double>{NAN}).count(), 0);
}

TEST(CategoryCounts, most_frequent_first_none_last) {
    const std::vector<std::int32_t> labels = {-1, -1, -1, 2, 2, 0, 1, 1};
    const auto counts = category_counts(labels);
    ASSERT_EQ(counts.size(), 4U);
    EXPECT_EQ(counts[0].category, 1);
    EXPECT_EQ(counts[1].category, 2);
    EXPECT_EQ(counts[2].category, 0);
    EXPECT_EQ(counts[3].category, -1);
    EXPECT_EQ(counts[3].count, 3);
}

TEST(Ticks, are_round_and_inside) {
    EXPECT_EQ(round_ticks(0, 1, 5), (std::vector<double>{0, .2, .4, 2 * .2 + .2, .8, 1}));
    EXPECT_TRUE(round_ticks(1, 1, 5).empty());
    for (const double tick : round_ticks(-13.4, 2.2, 8)) EXPECT_EQ(tick, std::round(tick));
}

TEST(Reliability, bins_by_confidence) {
    const std::vector<float> confidence = {.05F, .95F, 1, .9F};
    const std::vector<char> right = {0, 1, 1, 0};
    const auto bins = reliability(confidence, right, 10);
    EXPECT_EQ(bins[0].count, 1);
    EXPECT_EQ(bins[9].count, 2);
    EXPECT_EQ(bins[9].right, 2);
    EXPECT_EQ(bins[8].count, 1);
}

TEST(Sheets, every_tile_has_its_place) {
    for (const std::int64_t images : {1, 63, 64, 65, 1000, 150000}) {
        const auto layout = map_sheets(images, 256);
        std::int64_t tiles = 0;
        for (std::int64_t sheet = 0; sheet < layout.sheets(); ++sheet) {
            EXPECT_GT(layout.tiles_in(sheet), 0);
            EXPECT_GE(layout.rows_in(sheet) * layout.columns, layout.tiles_in(sheet));
            EXPECT_LE(layout.rows_in(sheet), layout.rows);
            tiles += layout.tiles_in(sheet);
        }
        EXPECT_EQ(tiles, images);
    }
    EXPECT_EQ(map_sheets(100, 28).tile, 28);
    EXPECT_EQ(map_sheets(150000, 256).tile, 64);
}

TEST(Shrink, keeps_the_mean_and_the_shape) {
    base::Random random(9);
    std::vector<std::uint8_t> image(90 * 90);
    double sum = 0;
    for (auto& pixel : image) sum += pixel = static_cast<std::uint8_t>(random.below(256));
    const auto small = shrink(image, 90, 90, 32);
    EXPECT_NEAR(std::accumulate(small.begin(), small.end(), 0.0) / (32 * 32), sum / (90 * 90), 0.6);
    EXPECT_EQ(shrink(image, 90, 90, 90), image);

    const std::vector<std::uint8_t> white(100 * 50, 255);  // twice as high as wide
    const auto tile = shrink(white, 100, 50, 20);
    EXPECT_EQ(tile[10 * 20 + 4], 0);
    EXPECT_EQ(tile[10 * 20 + 5], 255);
    EXPECT_EQ(tile[10 * 20 + 14], 255);
    EXPECT_EQ(tile[10 * 20 + 15], 0);
}

TEST(Sheets, tiles_stand_in_reading_order) {
    const SheetLayout layout{.tile = 2, .columns = 3, .rows = 2, .tiles = 10};
    std::vector<std::vector<std::uint8_t>> tiles;
    for (std::uint8_t t = 6; t < 10; ++t) tiles.emplace_back(4, t);
    const auto sheet = draw_sheet(layout, 1, tiles);
    ASSERT_EQ(sheet.size(), 6U * 4U);
    EXPECT_EQ(sheet[0], 6);
    EXPECT_EQ(sheet[2], 7);
    EXPECT_EQ(sheet[5], 8);
    EXPECT_EQ(sheet[12], 9);
    EXPECT_EQ(sheet[14], 0);
    const auto jpeg = encode_jpeg(sheet, 4, 6, 80);
    EXPECT_EQ(jpeg.substr(0, 2), "\xFF\xD8");
    EXPECT_EQ(jpeg.substr(jpeg.size() - 2), "\xFF\xD9");
}

TEST(HilbertOrder, visits_all_and_steps_to_neighbours) {
    std::vector<float> x, y;
    for (int i = 0; i < 64; ++i)
        for (int j = 0; j < 64; ++j) {
            x.push_back(static_cast<float>(i));
            y.push_back(static_cast<float>(j));
        }
    const auto order = hilbert_order(x, y);
    EXPECT_EQ(std::set(order.begin(), order.end()).size(), order.size());
    for (std::size_t t = 1; t < order.size(); ++t) {
        const auto a = static_cast<std::size_t>(order[t - 1]),
                   b = static_cast<std::size_t>(order[t]);
        ASSERT_EQ(std::abs(x[a] - x[b]) + std::abs(y[a] - y[b]), 1) << t;
    }
    const std::vector<float> same(5, 2.5F);
    EXPECT_EQ(hilbert_order(same, same), (std::vector<std::int64_t>{0, 1, 2, 3, 4}));
}

TEST(Axes, one_column_gets_a_second) {
    const std::vector<float> points = {1, 2, 3};
    const auto axes = map_axes(points, 1, {});
    ASSERT_EQ(axes.size(), 2U);
    EXPECT_EQ(axes[0].values, points);
    EXPECT_EQ(axes[1].values, std::vector<float>(3));
    EXPECT_EQ(map_axes(std::vector<float>(40), 20, {}).size(), 6U);
}

// Two clusters on a line, 0 1 2 3 and 10 11 12, and one point of no cluster.
TEST(Exemplars, are_those_of_a_line) {
    const std::vector<float> points = {0, 1, 2, 3, 10, 11, 12, 6};
    const std::vector<std::int32_t> label = {0, 0, 0, 0, 1, 1, 1, -1};
    const std::vector<double> density = {1, 5, 4, 2, 3, 6, 2, 0};
    const std::vector<std::int64_t> centres = {1, 5};
    const auto chosen = choose_exemplars({.points = points,
                                          .columns = 1,
                                          .label = label,
                                          .density = density,
                                          .centres = centres,
                                          .clusters = 2},
                                         2);
    const auto rows = [](const std::vector<Exemplar>& exemplars) {
        std::vector<std::int64_t> numbers;
        for (const auto& exemplar : exemplars) numbers.push_back(exemplar.row);
        return numbers;
    };
    using Rows = std::vector<std::int64_t>;
    EXPECT_EQ(chosen[0].rows, (Rows{0, 1, 2, 3}));
    EXPECT_EQ(rows(chosen[0].nearest), (Rows{0, 2}));
    EXPECT_EQ(rows(chosen[0].across), (Rows{1, 3}));  // the centre and the farthest
    EXPECT_EQ(rows(chosen[0].densest), (Rows{1, 2}));
    EXPECT_EQ(rows(chosen[0].border), (Rows{3, 2}));
    EXPECT_EQ(rows(chosen[0].odd), (Rows{0, 3}));
    EXPECT_EQ(rows(chosen[1].border), (Rows{4, 6}));
    EXPECT_DOUBLE_EQ(chosen[0].border[0].value, (8.0 - 2.0) / 10.0);

    const auto bare = choose_exemplars({.points = points,
                                        .columns = 1,
                                        .label = label,
                                        .density = {},
                                        .centres = {},
                                        .clusters = 2},
                                       2);
    EXPECT_EQ(bare[1].centre, 5);
    EXPECT_TRUE(bare[0].densest.empty());
    EXPECT_EQ(rows(bare[1].odd), (Rows{4, 6}));
}

TEST(CommonFolder, ends_in_a_slash) {
    EXPECT_EQ(common_folder({"/a/bc/1.tif", "/a/bd/2.tif"}), "/a/");
    EXPECT_EQ(common_folder({"/a/b/1.tif"}), "/a/b/");
    EXPECT_EQ(common_folder({"a.tif", "b.tif"}), "");
    EXPECT_EQ(common_folder({"a/b", "a/b/c"}), "a/");
}

TEST(FillIn, goes_over_the_frame_once) {
    EXPECT_EQ(fill_in("<{{a}}|{{b}}|{{c}}>", {{"a", "{{b}}"}, {"b", "2"}}), "<{{b}}|2|{{c}}>");
    EXPECT_EQ(fill_in("{{a", {{"a", "1"}}), "{{a");
}

TEST(Web, pages_and_scripts_are_built_in) {
    for (const char* name : {"page.html", "map.html", "atlas.css", "map.js", "points.js"})
        EXPECT_FALSE(web_file(name).empty());
}

}  // namespace
}  // namespace nanoatlas::atlas
