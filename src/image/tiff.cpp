#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "image/tiff_file.hpp"

namespace nanoatlas::image {
namespace {

constexpr std::uint64_t max_block_bytes = std::uint64_t{1} << 30;

struct Layout {
    std::uint32_t width = 0, height = 0;
    std::uint16_t bits = 1, samples = 1, format = SAMPLEFORMAT_UINT, planar = PLANARCONFIG_CONTIG;
    std::uint16_t photometric = PHOTOMETRIC_MINISBLACK;

    /// Channels that matter: three of a colour image, else one.
    int channels() const { return photometric == PHOTOMETRIC_RGB && samples >= 3 ? 3 : 1; }
    bool is_separate() const { return planar == PLANARCONFIG_SEPARATE && samples > 1; }
    std::size_t sample_bytes() const { return bits / 8; }
    /// Distance of two pixels in a block of one plane.
    std::size_t pixel_bytes() const { return sample_bytes() * (is_separate() ? 1 : samples); }
};

Layout read_layout(const TiffFile& file) {
    Layout layout;
    const bool has_size = TIFFGetField(file.get(), TIFFTAG_IMAGEWIDTH, &layout.width) == 1 &&
                          TIFFGetField(file.get(), TIFFTAG_IMAGELENGTH, &layout.height) == 1;
    if (!has_size) throw Unusable("is damaged (its header has no width or height)");
    layout.bits = file.field<std::uint16_t>(TIFFTAG_BITSPERSAMPLE, 1);
    layout.samples = file.field<std::uint16_t>(TIFFTAG_SAMPLESPERPIXEL, 1);
    layout.format = file.field<std::uint16_t>(TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
    layout.planar = file.field<std::uint16_t>(TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    layout.photometric = file.field<std::uint16_t>(TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
    return layout;
}

/// Whether we read the samples ourselves; the rest (bits below 8, CMYK, YCbCr, Lab) goes through
/// libtiff's conversion to 8-bit RGBA.
bool has_plain_samples(const Layout& layout) {
    const bool known = layout.photometric == PHOTOMETRIC_MINISBLACK ||
                       layout.photometric == PHOTOMETRIC_MINISWHITE ||
                       (layout.photometric == PHOTOMETRIC_PALETTE && layout.bits <= 16) ||
                       layout.photometric == PHOTOMETRIC_RGB;
    const bool is_float = layout.format == SAMPLEFORMAT_IEEEFP;
    const bool width_known = is_float ? layout.bits == 32 || layout.bits == 64
                                      : layout.bits == 8 || layout.bits == 16 || layout.bits == 32;
    return known && width_known && layout.format <= SAMPLEFORMAT_VOID && layout.samples <= 16;
}

/// Copies rows of a decoded strip or tile to their place in the plane.
void place_block(const std::vector<std::uint8_t>& block, std::size_t block_row_bytes,
                 std::uint32_t x, std::uint32_t y, std::uint32_t block_rows, const Layout& layout,
                 std::uint8_t* plane) {
    const std::size_t row_bytes = layout.width * layout.pixel_bytes();
    const std::size_t offset = x * layout.pixel_bytes();
    const std::size_t count = std::min(block_row_bytes, row_bytes - offset);
    const std::uint32_t rows = std::min(block_rows, layout.height - y);
    for (std::uint32_t r = 0; r < rows; ++r)
        std::memcpy(plane + (y + r) * row_bytes + offset, block.data() + r * block_row_bytes,
                    count);
}

/// Refuses a strip or tile that is absurdly large; returns its size.
std::size_t checked_block_size(tmsize_t size) {
    if (size <= 0 || static_cast<std::uint64_t>(size) > max_block_bytes)
        throw Unusable("is damaged (a strip or tile of impossible size)");
    return static_cast<std::size_t>(size);
}

void read_plane(const TiffFile& file, const Layout& layout, std::uint16_t plane,
                std::uint8_t* out) {
    TIFF* tiff = file.get();
    const bool tiled = TIFFIsTiled(tiff) != 0;
    const std::uint32_t block_width =
        tiled ? file.field<std::uint32_t>(TIFFTAG_TILEWIDTH, 0) : layout.width;
    const std::uint32_t block_rows =
        tiled ? file.field<std::uint32_t>(TIFFTAG_TILELENGTH, 0)
              : std::min(file.field<std::uint32_t>(TIFFTAG_ROWSPERSTRIP, layout.height),
                         layout.height);
    if (block_width == 0 || block_rows == 0) throw Unusable("is damaged (tiles of no size)");
    std::vector<std::uint8_t> block(
        checked_block_size(tiled ? TIFFTileSize(tiff) : TIFFStripSize(tiff)));
    const auto row_bytes =
        static_cast<std::size_t>(tiled ? TIFFTileRowSize(tiff) : TIFFScanlineSize(tiff));
    const bool consistent =
        row_bytes == block_width * layout.pixel_bytes() && row_bytes * block_rows <= block.size();
    if (!consistent) throw Unusable("is damaged (strips or tiles don't fit its samples)");

    for (std::uint64_t y = 0; y < layout.height; y += block_rows)
        for (std::uint64_t x = 0; x < layout.width; x += block_width) {
            const auto left = static_cast<std::uint32_t>(x), top = static_cast<std::uint32_t>(y);
            const auto rows = std::min(block_rows, layout.height - top);
            const auto want = static_cast<tmsize_t>(tiled ? block.size() : rows * row_bytes);
            const auto got =
                tiled ? TIFFReadEncodedTile(tiff, TIFFComputeTile(tiff, left, top, 0, plane),
                                            block.data(), static_cast<tmsize_t>(block.size()))
                      : TIFFReadEncodedStrip(tiff, TIFFComputeStrip(tiff, top, plane), block.data(),
                                             want);
            if (got < want)
                throw Unusable(fmt::format("is truncated or damaged ({})", file.error()));
            place_block(block, row_bytes, left, top, block_rows, layout, out);
        }
}

/// Grey value of palette entries: 8 bits where the palette is one of greys in steps of 1/255.
struct Palette {
    std::vector<std::uint16_t> grey;
    int bits = 8;
};

Palette read_palette(const TiffFile& file, const Layout& layout) {
    std::uint16_t *red = nullptr, *green = nullptr, *blue = nullptr;
    if (TIFFGetField(file.get(), TIFFTAG_COLORMAP, &red, &green, &blue) != 1)
        throw Unusable("is damaged (its palette is missing)");
    const std::size_t entries = std::size_t{1} << layout.bits;
    std::uint16_t largest = 0;
    for (std::size_t i = 0; i < entries; ++i)
        largest = std::max({largest, red[i], green[i], blue[i]});
    // Old programs wrote 8-bit values into the palette's 16 bits.
    const int shift = layout.bits == 8 && largest >= 256 ? 8 : 0;
    Palette palette{.grey = std::vector<std::uint16_t>(entries), .bits = layout.bits};
    for (std::size_t i = 0; i < entries; ++i)
        palette.grey[i] = static_cast<std::uint16_t>(luma(red[i], green[i], blue[i]) >> shift);
    return palette;
}

template <class T>
T sample_at(const std::uint8_t* raw) {
    T value;
    std::memcpy(&value, raw, sizeof value);
    return value;
}

/// Spreads values over 0 .. 65535, smallest to largest; what is not finite becomes 0.
void spread(const std::vector<float>& values, GreyImage& image) {
    float low = std::numeric_limits<float>::max(), high = std::numeric_limits<float>::lowest();
    for (const float value : values)
        if (std::isfinite(value)) {
            low = std::min(low, value);
            high = std::max(high, value);
        }
    if (low > high) throw Unusable("holds no finite sample");
    const double gain = high > low ? 65535.0 / (double{high} - double{low}) : 0;
    for (std::size_t i = 0; i < values.size(); ++i)
        image.samples[i] =
            std::isfinite(values[i])
                ? static_cast<std::uint16_t>(std::lround((double{values[i]} - double{low}) * gain))
                : 0;
    image.bits = 16;
}

/// Where the channels of a pixel lie: planes for separate ones, else side by side.
class Pixels {
  public:
    Pixels(const TiffFile& file, const Layout& layout) : layout_(layout) {
        const std::size_t plane_bytes =
            std::size_t{layout.width} * layout.height * layout.pixel_bytes();
        const int planes = layout.is_separate() ? layout.channels() : 1;
        for (int p = 0; p < planes; ++p) {
            planes_.emplace_back(plane_bytes);
            read_plane(file, layout, static_cast<std::uint16_t>(p), planes_.back().data());
        }
    }
    std::size_t count() const { return std::size_t{layout_.width} * layout_.height; }
    template <class T>
    T get(std::size_t pixel, int channel) const {
        const auto c = static_cast<std::size_t>(channel);
        if (layout_.is_separate()) return sample_at<T>(planes_[c].data() + pixel * sizeof(T));
        return sample_at<T>(planes_[0].data() + pixel * layout_.pixel_bytes() + c * sizeof(T));
    }

  private:
    Layout layout_;
    std::vector<std::vector<std::uint8_t>> planes_;
};

template <class T>
void convert_unsigned(const Pixels& pixels, const Layout& layout, GreyImage& image) {
    image.bits = layout.bits;
    const bool colour = layout.channels() == 3;
    for (std::size_t i = 0; i < pixels.count(); ++i)
        image.samples[i] = colour
                               ? luma(pixels.get<T>(i, 0), pixels.get<T>(i, 1), pixels.get<T>(i, 2))
                               : pixels.get<T>(i, 0);
}

template <class T>
void convert_wide(const Pixels& pixels, const Layout& layout, GreyImage& image) {
    std::vector<float> values(pixels.count());
    const bool colour = layout.channels() == 3;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto channel = [&](int c) { return static_cast<float>(pixels.get<T>(i, c)); };
        values[i] =
            colour ? 0.299F * channel(0) + 0.587F * channel(1) + 0.114F * channel(2) : channel(0);
    }
    spread(values, image);
}

void convert(const Pixels& pixels, const Layout& layout, GreyImage& image) {
    if (layout.format == SAMPLEFORMAT_IEEEFP)
        return layout.bits == 32 ? convert_wide<float>(pixels, layout, image)
                                 : convert_wide<double>(pixels, layout, image);
    const bool is_signed = layout.format == SAMPLEFORMAT_INT;
    if (layout.bits == 32)
        return is_signed ? convert_wide<std::int32_t>(pixels, layout, image)
                         : convert_wide<std::uint32_t>(pixels, layout, image);
    if (is_signed)
        return layout.bits == 8 ? convert_wide<std::int8_t>(pixels, layout, image)
                                : convert_wide<std::int16_t>(pixels, layout, image);
    return layout.bits == 8 ? convert_unsigned<std::uint8_t>(pixels, layout, image)
                            : convert_unsigned<std::uint16_t>(pixels, layout, image);
}

void read_plain(const TiffFile& file, const Layout& layout, GreyImage& image) {
    convert(Pixels(file, layout), layout, image);
    if (layout.photometric == PHOTOMETRIC_PALETTE) {
        const auto palette = read_palette(file, layout);
        for (auto& sample : image.samples) sample = palette.grey[sample];
    }
    if (layout.photometric == PHOTOMETRIC_MINISWHITE) {
        const auto white = static_cast<std::uint16_t>(image.bits == 8 ? 255 : 65535);
        for (auto& sample : image.samples) sample = static_cast<std::uint16_t>(white - sample);
    }
}

void read_by_rgba(const TiffFile& file, GreyImage& image) {
    char reason[1024] = "";
    if (TIFFRGBAImageOK(file.get(), reason) != 1)
        throw Unusable(fmt::format("is a TIFF of a kind that is not read here ({})", reason));
    std::vector<std::uint32_t> rgba(image.samples.size());
    if (TIFFReadRGBAImageOriented(file.get(), static_cast<std::uint32_t>(image.width),
                                  static_cast<std::uint32_t>(image.height), rgba.data(),
                                  ORIENTATION_TOPLEFT, 1) != 1)
        throw Unusable(fmt::format("is truncated or damaged ({})", file.error()));
    for (std::size_t i = 0; i < rgba.size(); ++i)
        image.samples[i] = luma(TIFFGetR(rgba[i]), TIFFGetG(rgba[i]), TIFFGetB(rgba[i]));
}

}  // namespace

Decoded decode_tiff(Bytes bytes) {
    TiffFile file(bytes);
    file.select_main_page();
    const auto layout = read_layout(file);
    const std::uint64_t pixel_bytes = std::max<std::uint64_t>(1, layout.pixel_bytes()) + 8;
    check_size(layout.width, layout.height, bytes.size(), pixel_bytes);

    Decoded decoded{.format = "TIFF", .bits_in_file = layout.bits, .headers = file.header_texts()};
    auto& image = decoded.image;
    image.width = static_cast<int>(layout.width);
    image.height = static_cast<int>(layout.height);
    image.samples.resize(std::size_t{layout.width} * layout.height);
    if (has_plain_samples(layout))
        read_plain(file, layout, image);
    else
        read_by_rgba(file, image);
    return decoded;
}

}  // namespace nanoatlas::image
