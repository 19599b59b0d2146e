// From a decoded image to the stored picture: info bar, tone, scaling.
#include <gtest/gtest.h>

#include <cmath>

#include "base/check.hpp"
#include "base/random.hpp"
#include "image/bar.hpp"
#include "image/codecs.hpp"
#include "image/resize.hpp"
#include "image/tone.hpp"
#include "tests/image/crafted.hpp"
#include "tests/scratch_folder.hpp"

namespace nanoatlas::testing {
namespace {

using image::Fit;
using image::GreyImage;
using image::PrepareOptions;

GreyImage blank(int width, int height, int bits = 8, int value = 0) {
    return {.width = width,
            .height = height,
            .bits = bits,
            .samples = std::vector<std::uint16_t>(static_cast<std::size_t>(width * height),
                                                  static_cast<std::uint16_t>(value))};
}

/// Hills with noise, between dark and bright.
GreyImage micrograph(int width, int height, int dark, int bright, std::uint64_t seed) {
    auto picture = blank(width, height);
    base::Random random(seed);
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            const double value =
                dark + (bright - dark) * hill(x, y, 0) / 65535.0 + 8 * random.normal();
            picture.row(y)[x] = static_cast<std::uint16_t>(std::clamp(value, 0.0, 255.0));
        }
    return picture;
}

/// Draws a bar of `rows` rows whose first row is `first`: background, letters of blocks, a frame.
void draw_bar(GreyImage& picture, int first, int rows, int background, bool framed) {
    const int ink = background < 128 ? 255 : 0;
    base::Random random(5);
    for (int y = first; y < first + rows; ++y)
        std::fill_n(picture.row(y), picture.width, static_cast<std::uint16_t>(background));
    for (int x = 10; x + 8 < picture.width; x += 9)
        for (int y = first + rows / 3; y < first + rows * 2 / 3; ++y)
            for (int i = 0; i < 6; ++i)
                if (random.chance(0.4)) picture.row(y)[x + i] = static_cast<std::uint16_t>(ink);
    if (framed) std::fill_n(picture.row(first), picture.width, static_cast<std::uint16_t>(ink));
}

TEST(Bar, found_at_either_edge_black_or_white_framed_or_not) {
    for (const bool at_bottom : {true, false})
        for (const int background : {0, 255, 30})
            for (const bool framed : {false, true})
                for (const int rows : {24, 40, 79}) {
                    auto picture = micrograph(512, 400, 60, 180, 1);
                    draw_bar(picture, at_bottom ? 400 - rows : 0, rows, background,
                             framed && at_bottom);
                    const auto bar = image::find_bar_in_image(picture);
                    EXPECT_NEAR(at_bottom ? bar.bottom : bar.top, rows, 1)
                        << background << " " << framed;
                    EXPECT_EQ(at_bottom ? bar.top : bar.bottom, 0);
                    EXPECT_EQ(bar.origin, "image");
                }
}

TEST(Bar, none_where_there_is_none) {
    for (int seed = 0; seed < 10; ++seed) {
        EXPECT_EQ(image::find_bar_in_image(micrograph(512, 400, 60, 180, seed)).origin, "none");
        EXPECT_EQ(image::find_bar_in_image(micrograph(512, 400, -100, 120, seed)).origin, "none");
    }
    EXPECT_EQ(image::find_bar_in_image(blank(512, 400)).origin, "none");
    auto half_black = micrograph(512, 400, 60, 180, 1);  // no writing on it: part of the picture
    for (int y = 350; y < 400; ++y) std::fill_n(half_black.row(y), 512, std::uint16_t{0});
    EXPECT_EQ(image::find_bar_in_image(half_black).origin, "none");
}

TEST(Bar, on_a_dark_picture) {
    auto picture = micrograph(512, 400, -120, 200, 3);  // a good part of it is black
    draw_bar(picture, 370, 30, 0, false);
    EXPECT_NEAR(image::find_bar_in_image(picture).bottom, 30, 1);
}

TEST(Bar, the_header_counts_where_it_is_true) {
    image::Decoded decoded{.image = micrograph(200, 300, 60, 180, 2), .format = "TIFF"};
    decoded.headers = {
        {.tag = 34682,
         .text = "[Image]\r\nResolutionY=260\r\n[PrivateFei]\r\nDatabarHeight=40\r\n"}};
    EXPECT_EQ(image::bar_rows_in_header(decoded), 40);
    const auto bar = image::find_bar(decoded, {});
    EXPECT_EQ(bar.bottom, 40);
    EXPECT_EQ(bar.origin, "header");
    EXPECT_EQ(image::find_bar(decoded, {.bar = image::BarRule::keep}).bottom, 0);
    EXPECT_EQ(image::find_bar(decoded, {.bar = image::BarRule::rows, .bar_rows = 7}).bottom, 7);
    EXPECT_THROW(image::find_bar(decoded, {.bar = image::BarRule::rows, .bar_rows = 299}),
                 image::Unusable);
    decoded.headers[0].text =
        "[Image]\nResolutionY=300\n[PrivateFei]\nDatabarHeight=40\n";  // saved without it
    EXPECT_EQ(image::bar_rows_in_header(decoded), 0);
    decoded.headers[0].text = "[PrivateFei]\nDatabarHeight=100000\n";
    EXPECT_EQ(image::bar_rows_in_header(decoded), 0);
}

TEST(Tone, percentiles_for_16_bits_and_low_contrast_alone) {
    auto deep = blank(100, 100, 16);
    for (int i = 0; i < 10000; ++i)
        deep.samples[static_cast<std::size_t>(i)] = static_cast<std::uint16_t>(20000 + i);
    const auto tone = image::choose_tone(deep, 0, 100);
    EXPECT_TRUE(tone.by_percentiles);
    EXPECT_NEAR(tone.low, 20050, 1);
    EXPECT_NEAR(tone.high, 29950, 1);

    const auto fine = image::choose_tone(micrograph(100, 100, 20, 230, 1), 0, 100);
    EXPECT_FALSE(fine.by_percentiles);
    EXPECT_EQ(fine.low, 0);
    EXPECT_EQ(fine.high, 255);
    EXPECT_TRUE(image::choose_tone(micrograph(100, 100, 100, 120, 1), 0, 100).by_percentiles);
    EXPECT_FALSE(image::choose_tone(blank(50, 50, 8, 77), 0, 50).by_percentiles);
    EXPECT_EQ(image::choose_tone(blank(50, 50, 16, 777), 0, 50).high, 65535);
}

/// Weight of pixel x for an output pixel [begin, begin + step): a triangle around its middle.
double triangle(int x, double begin, double step) {
    const double support = std::max(1.0, step);
    return std::max(0.0, 1 - std::abs(x + 0.5 - (begin + step / 2)) / support);
}

/// Mean over the picture, weighted by the triangles of its columns and of its rows in [first, end).
double triangle_average(const image::GreyImage& picture, int first, int end, double left,
                        double top, double width, double height) {
    double sum = 0, weights = 0;
    for (int y = first; y < end; ++y)
        for (int x = 0; x < picture.width; ++x) {
            const double weight = triangle(x, left, width) * triangle(y, top, height);
            sum += weight * picture.row(y)[x];
            weights += weight;
        }
    return sum / weights;
}

TEST(Scale, shrinking_averages_under_a_triangle) {
    base::Random random(11);
    for (int trial = 0; trial < 30; ++trial) {
        const int width = 20 + static_cast<int>(random.below(60)),
                  height = 20 + static_cast<int>(random.below(60));
        const int first = static_cast<int>(random.below(5)),
                  end = height - static_cast<int>(random.below(5));
        const int size = 4 + static_cast<int>(random.below(7));
        auto picture = micrograph(width, height, 0, 255, random());
        const auto squashed = image::scale_to_square(picture, first, end, {}, Fit::squash, size);
        const double step_x = double(width) / size, step_y = double(end - first) / size;
        EXPECT_FLOAT_EQ(squashed.scale[0], static_cast<float>(step_y));
        EXPECT_FLOAT_EQ(squashed.scale[1], static_cast<float>(step_x));
        const double side = std::min(width, end - first), step = side / size;
        const auto cropped = image::scale_to_square(picture, first, end, {}, Fit::crop, size);
        EXPECT_FLOAT_EQ(cropped.scale[0], static_cast<float>(step));
        for (int y = 0; y < size; ++y)
            for (int x = 0; x < size; ++x) {
                const auto at = static_cast<std::size_t>(y * size + x);
                EXPECT_NEAR(squashed.pixels[at],
                            triangle_average(picture, first, end, x * step_x, first + y * step_y,
                                             step_x, step_y),
                            0.51);
                EXPECT_NEAR(
                    cropped.pixels[at],
                    triangle_average(picture, first, end, (width - side) / 2 + x * step,
                                     first + (end - first - side) / 2 + y * step, step, step),
                    0.51);
            }
    }
}

TEST(Scale, enlarging_interpolates_and_same_size_copies) {
    const auto picture = micrograph(40, 40, 0, 255, 1);
    const auto same = image::scale_to_square(picture, 0, 40, {}, Fit::crop, 40);
    for (std::size_t i = 0; i < same.pixels.size(); ++i)
        ASSERT_EQ(same.pixels[i], picture.samples[i]);
    auto ramp = blank(20, 20);
    for (int y = 0; y < 20; ++y)
        for (int x = 0; x < 20; ++x) ramp.row(y)[x] = static_cast<std::uint16_t>(10 * x);
    const auto large = image::scale_to_square(ramp, 0, 20, {}, Fit::squash, 60);
    for (int x = 3; x < 57; ++x)
        EXPECT_NEAR(large.pixels[static_cast<std::size_t>(30 * 60 + x)], 10 * ((x + 0.5) / 3 - 0.5),
                    0.51);
}

TEST(Scale, padding_keeps_all_of_the_picture_in_the_middle) {
    const auto wide = blank(80, 40, 8, 200);
    auto half = wide;
    for (int y = 0; y < 40; ++y) std::fill_n(half.row(y), 40, std::uint16_t{100});
    const auto padded = image::scale_to_square(half, 0, 40, {}, Fit::pad, 40);
    const auto at = [&](int y, int x) {
        return padded.pixels[static_cast<std::size_t>(y * 40 + x)];
    };
    EXPECT_EQ(at(5, 20), 150);  // the mean
    EXPECT_EQ(at(20, 5), 100);
    EXPECT_EQ(at(20, 35), 200);
    EXPECT_EQ(at(35, 20), 150);
    EXPECT_FLOAT_EQ(padded.scale[0], 2);
}

TEST(Scale, tone_is_applied_before_averaging) {
    auto picture = blank(16, 16, 16, 1000);
    for (int y = 0; y < 16; ++y)
        for (int x = 0; x < 16; x += 2) picture.row(y)[x] = 60000;  // beyond `high`
    const auto scaled = image::scale_to_square(
        picture, 0, 16, {.low = 1000, .high = 2000, .by_percentiles = true}, Fit::crop, 8);
    for (int y = 1; y < 7; ++y)
        for (int x = 1; x < 7; ++x)
            EXPECT_EQ(scaled.pixels[static_cast<std::size_t>(y * 8 + x)], 128);
}

TEST(Prepare, a_file_from_end_to_end) {
    const ScratchFolder folder;
    const std::string header =
        "[Image]\r\nResolutionX=96\r\nResolutionY=64\r\n[PrivateFei]\r\nDatabarHeight=16\r\n";
    write_file(folder / "a.tif",
               make_tiff({.width = 96, .height = 80, .bits = 16, .texts = {{34682, header}}}));
    const auto picture = image::prepare(folder / "a.tif", {.size = 32});
    EXPECT_EQ(picture.pixels.size(), 32U * 32U);
    EXPECT_EQ(picture.bar.bottom, 16);
    EXPECT_EQ(picture.width, 96);
    EXPECT_EQ(picture.height, 80);
    EXPECT_EQ(picture.bits, 16);
    EXPECT_TRUE(picture.tone.by_percentiles);
    EXPECT_FLOAT_EQ(picture.scale[0], 2);
    ASSERT_EQ(picture.headers.size(), 1U);
    EXPECT_THROW(image::prepare(folder / "absent.tif", {}), image::Unusable);
}

TEST(PrepareOptions, words_of_the_command_line) {
    PrepareOptions options;
    image::parse_bar("rows=12", options);
    EXPECT_EQ(options.bar, image::BarRule::rows);
    EXPECT_EQ(options.bar_rows, 12);
    image::parse_bar("keep", options);
    EXPECT_EQ(options.bar, image::BarRule::keep);
    image::parse_bar("auto", options);
    EXPECT_EQ(options.bar, image::BarRule::find);
    for (const auto* wrong : {"rows=", "rows=x", "rows=-3", "rows=5z", "maybe", ""})
        EXPECT_THROW(image::parse_bar(wrong, options), InputError) << wrong;
    EXPECT_EQ(image::parse_fit("pad"), Fit::pad);
    EXPECT_THROW(image::parse_fit("stretch"), InputError);
}

}  // namespace
}  // namespace nanoatlas::testing
