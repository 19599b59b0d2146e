// Pictures through the encoders and back, and what the info bars measure.
#include <gtest/gtest.h>

#include <cmath>

#include "synth/encode.hpp"
#include "synth/vendor_header.hpp"
#include "tests/synth/read_back.hpp"

namespace nanoatlas::synth {
namespace {

Picture random_picture(int width, int height) {
    base::Random random(6, width, height);
    Picture picture(width, height);
    for (auto& grey : picture.pixels) grey = static_cast<std::uint16_t>(random.below(65536));
    return picture;
}

testing::Image through(const Bytes& bytes, const char* name) {
    return testing::read_image({name, bytes});
}

TEST(Encoding, keeps_every_value_at_16_bit) {
    for (const auto& [width, height] : {std::pair{64, 64}, {33, 100}, {1, 1}, {200, 3}}) {
        const auto picture = random_picture(width, height);
        EXPECT_EQ(through(encode_png(picture, 16), "a.png").pixels, picture.pixels);
        EXPECT_EQ(through(encode_tiff(picture, {.bits = 16}), "a.tif").pixels, picture.pixels);
        EXPECT_EQ(through(encode_tiff(picture, {.bits = 16, .lzw = true}), "a.tif").pixels,
                  picture.pixels);
    }
}

TEST(Encoding, rounds_to_8_bit_alike_in_all_lossless_formats) {
    const auto picture = random_picture(70, 41);
    const auto png = through(encode_png(picture, 8), "a.png");
    EXPECT_EQ(png.bits, 8);
    for (std::size_t i = 0; i < picture.pixels.size(); ++i)
        ASSERT_LE(std::abs(png.pixels[i] * 257 - picture.pixels[i]), 129);
    EXPECT_EQ(through(encode_tiff(picture, {}), "a.tif").pixels, png.pixels);
    EXPECT_EQ(through(encode_tiff(picture, {.palette = true}), "a.tif").pixels, png.pixels)
        << "the indices into a grey ramp are the greys";
    EXPECT_EQ(through(encode_tiff(picture, {.lzw = true}), "a.tif").pixels, png.pixels);
}

TEST(Encoding, keeps_greys_nearly_in_jpeg) {
    Picture picture(64, 64);
    for (std::size_t i = 0; i < 64 * 64; ++i)
        picture.pixels[i] = static_cast<std::uint16_t>(i % 64 * 1000);
    const auto image = through(encode_jpeg(picture, 95), "a.jpg");
    for (std::size_t i = 0; i < image.pixels.size(); ++i)
        ASSERT_NEAR(image.pixels[i], picture.pixels[i] / 257.0, 4);
}

TEST(Encoding, carries_the_header_of_either_vendor) {
    const std::string text = "AP_WD\r\nWD = 5.0 mm\r\nWidth = 3 \xB5m\r\n";
    for (const unsigned tag : {zeiss_tag, fei_tag}) {
        const auto image = through(
            encode_tiff(random_picture(20, 20), {.header_tag = tag, .header = text}), "a.tif");
        EXPECT_EQ(image.header_tag, tag);
        EXPECT_EQ(image.header.substr(0, text.size()), text);
    }
}

// The longest run of one grey in the bar's rows; the frame, as wide as the picture, left out.
int longest_line(const Picture& picture, std::uint16_t ink) {
    int longest = 0;
    for (int y = picture.height - picture.bar_rows; y < picture.height; ++y) {
        int run = 0;
        for (int x = 0; x <= picture.width; ++x) {
            if (x < picture.width && picture.row(y)[x] == ink) {
                ++run;
                continue;
            }
            if (run < picture.width) longest = std::max(longest, run);
            run = 0;
        }
    }
    return longest;
}

Record record_of(double pixel_size, int width) {
    Record record{};
    record.month = 3, record.day = 8, record.year = 2021;
    record.pixel_size = pixel_size, record.field_width = pixel_size * width;
    record.magnification = 1234;
    return record;
}

TEST(InfoBar, draws_a_scale_as_long_as_it_says) {
    for (const int width : {256, 512, 1000, 1536})
        for (const double field : {0.7e-6, 3.3e-6, 57e-6, 1.2e-3})
            for (const auto format : {Format::fei_tiff, Format::jpeg, Format::zeiss_tiff}) {
                const auto ink = format == Format::zeiss_tiff ? 0 : 65535;
                Picture picture(width, width);
                add_info_bar(picture, format, record_of(field / width, width));
                const auto scale = choose_scale_bar(field / width, width);
                EXPECT_EQ(longest_line(picture, static_cast<std::uint16_t>(ink)), scale.pixels);
                EXPECT_NEAR(scale.pixels * field / width, scale.length, field / width);
            }
}

TEST(InfoBar, chooses_round_lengths_of_a_good_size) {
    for (double field = 0.3e-6; field < 5e-3; field *= 1.37) {
        const auto scale = choose_scale_bar(field / 512, 512);
        EXPECT_LE(scale.pixels, 129);
        EXPECT_GE(scale.pixels, 512 / 10 - 1);
        const double leading =
            scale.length / std::pow(10, std::floor(std::log10(scale.length) + 1e-9));
        EXPECT_TRUE(std::abs(leading - 1) < 1e-6 || std::abs(leading - 2) < 1e-6 ||
                    std::abs(leading - 5) < 1e-6)
            << leading;
    }
    EXPECT_EQ(choose_scale_bar(1e-9, 1000).text, "200 nm");
    EXPECT_EQ(choose_scale_bar(10e-9, 1000).text, "2 \xB5m");
    EXPECT_EQ(choose_scale_bar(10e-6, 1000).text, "2 mm");
}

TEST(InfoBar, lies_over_the_picture_or_below_it_as_vendors_do) {
    const auto before = random_picture(300, 300);
    for (const auto format : {Format::zeiss_tiff, Format::fei_tiff, Format::jpeg, Format::png}) {
        auto picture = before;
        add_info_bar(picture, format, record_of(1e-8, 300));
        const bool below = format == Format::fei_tiff;
        EXPECT_EQ(picture.height, below ? 300 + picture.bar_rows : 300);
        EXPECT_GT(picture.bar_rows, 15);
        for (int y = 0; y < picture.height - picture.bar_rows; ++y)
            for (int x = 0; x < 300; ++x)
                ASSERT_EQ(picture.row(y)[x], before.pixels[static_cast<std::size_t>(y * 300 + x)]);
    }
}

TEST(InfoBar, says_what_the_header_says) {
    // Magnification times the width of the field is the width at which the vendor quotes it.
    EXPECT_NEAR(quoted_magnification(Format::zeiss_tiff, 11.43e-6), 10000, 1);
    EXPECT_NEAR(quoted_magnification(Format::fei_tiff, 1.72667e-5), 12000, 1);
}

}  // namespace
}  // namespace nanoatlas::synth
