// Every kind of file is read as the grey picture that was put in; every kind of damage is refused
// with its cause.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "image/codecs.hpp"
#include "image/idx.hpp"
#include "tests/image/crafted.hpp"
#include "tests/scratch_folder.hpp"

namespace nanoatlas::testing {
namespace {

using image::decode;
using image::Decoded;
using image::Unusable;

/// Expects the picture to be the hill, of `bits` bits, within `tolerance` of 255.
void expect_hill(const Decoded& decoded, int bits, double tolerance, int width = 64,
                 int height = 48) {
    const auto& picture = decoded.image;
    ASSERT_EQ(picture.width, width);
    ASSERT_EQ(picture.height, height);
    ASSERT_EQ(picture.bits, bits);
    ASSERT_EQ(picture.samples.size(),
              static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
    double worst = 0;
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            const double value = bits == 8 ? picture.row(y)[x] : picture.row(y)[x] / 257.0;
            worst = std::max(worst, std::abs(value - hill(x, y, 0) / 257.0));
        }
    EXPECT_LE(worst, tolerance);
}

std::string cause_of(const FileBytes& bytes) try {
    decode(bytes);
    return "it was read";
} catch (const Unusable& cause) {
    return cause.what();
}

#define EXPECT_CAUSE(bytes, words) \
    EXPECT_NE(cause_of(bytes).find(words), std::string::npos) << "but: " << cause_of(bytes)

/// The same in all channels, so that colour becomes the grey it is made of.
int grey_hill(int x, int y, int) {
    return hill(x, y, 0);
}

TEST(Decode, jpeg) {
    expect_hill(decode(make_jpeg()), 8, 6);
    expect_hill(decode(make_jpeg({.progressive = true})), 8, 6);
    expect_hill(decode(make_jpeg({.channels = 3}, grey_hill)), 8, 6);
    EXPECT_EQ(decode(make_jpeg()).format, "JPEG");
}

TEST(Decode, cmyk_jpeg_is_ink_on_paper) {
    // Adobe stores 255 - ink: without black (K = 255) the hill in C, M and Y is its grey.
    const auto ink = [](int x, int y, int channel) { return channel == 3 ? 65535 : hill(x, y, 0); };
    expect_hill(decode(make_jpeg({.channels = 4, .quality = 98}, ink)), 8, 8);
}

TEST(Decode, png) {
    expect_hill(decode(make_png()), 8, 1);
    expect_hill(decode(make_png({.interlaced = true})), 8, 1);
    expect_hill(decode(make_png({.bits = 16})), 16, 0.01);
    expect_hill(decode(make_png({.channels = 2})), 8, 1);
    expect_hill(decode(make_png({.channels = 3}, grey_hill)), 8, 1);
    expect_hill(decode(make_png({.bits = 16, .channels = 3}, grey_hill)), 16, 0.01);
    expect_hill(decode(make_png({.channels = 4}, grey_hill)), 8, 1);
    expect_hill(decode(make_png({.channels = 0})), 8, 17);
}

TEST(Decode, tiff_of_each_compression_in_strips_and_tiles) {
    for (const int compression : {1, 5, 8, 32773})
        for (const int tile : {0, 16, 32})
            for (const int bits : {8, 16}) {
                SCOPED_TRACE("compression " + std::to_string(compression) + ", tile " +
                             std::to_string(tile));
                expect_hill(
                    decode(make_tiff({.bits = bits, .compression = compression, .tile = tile})),
                    bits, 1);
            }
}

TEST(Decode, tiff_of_each_layout) {
    expect_hill(decode(make_tiff({.bits = 16, .big_endian = true})), 16, 0.01);
    expect_hill(decode(make_tiff({.channels = 3, .photometric = 2}, grey_hill)), 8, 1);
    expect_hill(decode(make_tiff({.bits = 16, .channels = 3, .photometric = 2, .separate = true},
                                 grey_hill)),
                16, 0.01);
    const auto negative = [](int x, int y, int) { return 65535 - hill(x, y, 0); };
    expect_hill(decode(make_tiff({.photometric = 0}, negative)), 8, 1);
    EXPECT_EQ(decode(make_tiff()).format, "TIFF");
}

TEST(Decode, grey_palette_keeps_its_values) {
    expect_hill(decode(make_tiff({.photometric = 3})), 8, 1);
    const auto negative = [](int x, int y, int) { return 65535 - hill(x, y, 0); };
    expect_hill(decode(make_tiff({.photometric = 3, .inverse_palette = true}, negative)), 8, 1);
}

TEST(Decode, floats_and_wide_samples_are_spread_over_16_bits) {
    // The hill need not reach 0 and 65535: what is decoded is the hill, spread.
    for (const auto& spec :
         {TiffSpec{.bits = 32, .samples = Samples::floating},
          TiffSpec{.bits = 64, .samples = Samples::floating}, TiffSpec{.bits = 32},
          TiffSpec{.bits = 32, .samples = Samples::signed_whole},
          TiffSpec{.bits = 16, .samples = Samples::signed_whole}}) {
        const auto picture = decode(make_tiff(spec)).image;
        int low = 65535, high = 0;
        for (int y = 0; y < 48; ++y)
            for (int x = 0; x < 64; ++x) {
                low = std::min(low, hill(x, y, 0));
                high = std::max(high, hill(x, y, 0));
            }
        for (int y = 0; y < 48; ++y)
            for (int x = 0; x < 64; ++x)
                ASSERT_NEAR(picture.row(y)[x], (hill(x, y, 0) - low) * 65535.0 / (high - low), 2);
    }
}

TEST(Decode, float_tiff_with_nan_and_without_any_number) {
    auto bytes = make_tiff({.bits = 32, .samples = Samples::floating});
    const std::uint32_t nan = 0x7FC00000;
    std::memcpy(bytes.data() + 8, &nan, sizeof nan);  // the first sample
    EXPECT_EQ(decode(bytes).image.samples[0], 0);
    for (std::size_t i = 0; i < 64 * 48; ++i)
        std::memcpy(bytes.data() + 8 + 4 * i, &nan, sizeof nan);
    EXPECT_CAUSE(bytes, "no finite sample");
}

TEST(Decode, first_page_that_is_no_thumbnail) {
    expect_hill(decode(make_tiff({.pages_after = 3})), 8, 1);
    expect_hill(decode(make_tiff({.thumbnails_before = 1, .pages_after = 1})), 8, 1);
}

TEST(Decode, instruments_texts_as_utf8) {
    const auto decoded = decode(
        make_tiff({.texts = {{34118, "AP_WD\r\nWD = 5.0 \xB5m"}, {34682, "[User]\r\nA=1"}}}));
    ASSERT_EQ(decoded.headers.size(), 2U);
    EXPECT_EQ(decoded.headers[0].tag, 34118);
    EXPECT_EQ(decoded.headers[0].text, "AP_WD\r\nWD = 5.0 \u00b5m");
    EXPECT_EQ(decoded.headers[1].text, "[User]\r\nA=1");
}

TEST(Decode, cyclic_directories_end) {
    auto bytes = make_tiff({.thumbnails_before = 1});
    // The last directory's link points back at the first one.
    std::uint32_t directory = 0, next = 0;
    std::memcpy(&directory, bytes.data() + 4, 4);
    const auto first = directory;
    for (;;) {
        std::uint16_t entries = 0;
        std::memcpy(&entries, bytes.data() + directory, 2);
        const auto link = directory + 2 + 12U * entries;
        std::memcpy(&next, bytes.data() + link, 4);
        if (next == 0) {
            std::memcpy(bytes.data() + link, &first, 4);
            break;
        }
        directory = next;
    }
    expect_hill(decode(bytes), 8, 1);
    auto only_thumbnails = make_tiff({.thumbnails_before = 0});
    EXPECT_NO_THROW(decode(only_thumbnails));
}

TEST(Decode, truncated_files_are_refused) {
    for (auto bytes : {make_jpeg(), make_jpeg({.progressive = true}), make_png(), make_tiff(),
                       make_tiff({.compression = 5}), make_tiff({.compression = 8, .tile = 16})}) {
        bytes.resize(bytes.size() * 6 / 10);
        EXPECT_THROW(decode(bytes), Unusable);
    }
    auto half = make_jpeg();
    half.resize(half.size() / 2);
    EXPECT_CAUSE(half, "truncated");
}

TEST(Decode, files_that_are_no_images) {
    const std::string text = "this is a text that somebody renamed to image.tif\n";
    EXPECT_CAUSE(FileBytes(text.begin(), text.end()), "is text");
    EXPECT_CAUSE((FileBytes{0, 1, 2, 3, 4, 5, 6, 7}), "is no TIFF, JPEG or PNG");
    EXPECT_CAUSE(FileBytes{}, "is");
    const ScratchFolder folder;
    write_file(folder / "empty.tif", "");
    EXPECT_THROW(image::read_file(folder / "empty.tif"), Unusable);
    EXPECT_THROW(image::read_file(folder / "absent.tif"), Unusable);
    EXPECT_THROW(image::read_file("/dev/zero"), Unusable);
}

TEST(Decode, sizes_are_checked_before_memory_is_taken) {
    EXPECT_CAUSE(make_png({.width = 1, .height = 1}), "at least 8 x 8");
    EXPECT_CAUSE(make_tiff({.width = 1, .height = 1}), "at least 8 x 8");
    auto tiff = make_tiff();
    for (std::size_t i = 0; i + 12 <= tiff.size(); i += 1) {  // width and height in the directory
        std::uint16_t tag = 0, type = 0;
        std::memcpy(&tag, tiff.data() + i, 2);
        std::memcpy(&type, tiff.data() + i + 2, 2);
        const std::uint32_t side = 60000;
        if ((tag == 256 || tag == 257) && (type == 3 || type == 4) && tiff[i + 4] == 1)
            std::memcpy(tiff.data() + i + 8, &side, type == 3 ? 2 : 4);
    }
    EXPECT_CAUSE(tiff, "claims 60000 x 60000");
    auto jpeg = make_jpeg();
    for (std::size_t i = 0; i + 9 < jpeg.size(); ++i)
        if (jpeg[i] == 0xFF && jpeg[i + 1] == 0xC0) {
            for (const std::size_t at : {5U, 7U}) {
                jpeg[i + at] = 60000 >> 8;
                jpeg[i + at + 1] = 60000 & 0xFF;
            }
            break;
        }
    EXPECT_CAUSE(jpeg, "claims 60000 x 60000");
    EXPECT_THROW(image::check_size(16000, 16000, 500), Unusable);
    EXPECT_NO_THROW(image::check_size(16000, 16000, 100'000));
}

TEST(Idx, images_and_labels_plain_and_gzipped) {
    const ScratchFolder folder;
    const auto images = make_idx_images(20, 28, 30);
    write_file(folder / "train-images-idx3-ubyte", images);
    write_file(folder / "t10k-images-idx3-ubyte.gz", gzip(images));
    write_file(folder / "t10k-labels-idx1-ubyte.gz", gzip(make_idx_labels(20)));
    for (const auto* name : {"train-images-idx3-ubyte", "t10k-images-idx3-ubyte.gz"}) {
        ASSERT_TRUE(image::is_idx_name(name));
        const auto opened = image::open_idx_images(folder / name);
        EXPECT_EQ(opened->count, 20);
        EXPECT_EQ(opened->height, 28);
        EXPECT_EQ(opened->width, 30);
        EXPECT_EQ(opened->samples[28 * 30 * 7], 7);
    }
    EXPECT_EQ(image::idx_labels_of(folder / "train-images-idx3-ubyte"), "");
    const auto labels = image::idx_labels_of(folder / "t10k-images-idx3-ubyte.gz");
    EXPECT_EQ(labels, folder / "t10k-labels-idx1-ubyte.gz");
    EXPECT_EQ(image::read_idx_labels(labels)[13], 3);
}

TEST(Idx, damaged_files_are_refused) {
    const ScratchFolder folder;
    auto images = make_idx_images(20, 28, 28);
    images.resize(images.size() - 1);
    write_file(folder / "a.idx3-ubyte", images);
    EXPECT_THROW(image::open_idx_images(folder / "a.idx3-ubyte"), Unusable);
    auto packed = gzip(make_idx_images(20, 28, 28));
    packed.resize(packed.size() / 2);
    write_file(folder / "b.idx3-ubyte.gz", packed);
    EXPECT_THROW(image::open_idx_images(folder / "b.idx3-ubyte.gz"), Unusable);
    write_file(folder / "c.idx3-ubyte", "not at all an IDX file");
    EXPECT_THROW(image::open_idx_images(folder / "c.idx3-ubyte"), Unusable);
}

}  // namespace
}  // namespace nanoatlas::testing
