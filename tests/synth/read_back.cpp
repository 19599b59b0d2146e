#include "tests/synth/read_back.hpp"

#include <jpeglib.h>
#include <png.h>
#include <tiffio.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "synth/vendor_header.hpp"

namespace nanoatlas::synth::testing {
namespace {

// libtiff reads from a path, so the bytes take a way over the disk.
class TemporaryFile {
  public:
    explicit TemporaryFile(const Bytes& bytes)
        : path_((std::filesystem::temp_directory_path() / "nanoatlas-tiff-XXXXXX").string()) {
        const int descriptor = mkstemp(path_.data());
        if (write(descriptor, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
            throw std::runtime_error("cannot write a temporary file");
        close(descriptor);
    }
    ~TemporaryFile() { std::remove(path_.c_str()); }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    const char* path() const { return path_.c_str(); }

  private:
    std::string path_;
};

void check_size(std::uint64_t width, std::uint64_t height) {
    if (width * height > 100'000'000) throw Unreadable("too large");
}

Image read_tiff(const Bytes& bytes) {
    TIFFSetErrorHandler(nullptr);  // what is unreadable is thrown
    TIFFSetWarningHandler(nullptr);
    const TemporaryFile file(bytes);
    const std::unique_ptr<TIFF, void (*)(TIFF*)> tiff(TIFFOpen(file.path(), "r"), TIFFClose);
    if (tiff == nullptr) throw Unreadable("libtiff does not open it");
    std::uint32_t width = 0, height = 0;
    std::uint16_t bits = 0;
    TIFFGetField(tiff.get(), TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff.get(), TIFFTAG_IMAGELENGTH, &height);
    TIFFGetField(tiff.get(), TIFFTAG_BITSPERSAMPLE, &bits);
    check_size(width, height);
    Image image{static_cast<int>(width), static_cast<int>(height), bits, {}, 0, {}};
    std::vector<std::uint8_t> row(static_cast<std::size_t>(TIFFScanlineSize(tiff.get())));
    for (std::uint32_t y = 0; y < height; ++y) {
        if (TIFFReadScanline(tiff.get(), row.data(), y, 0) != 1) throw Unreadable("libtiff: row");
        for (std::size_t x = 0; x < width; ++x)
            image.pixels.push_back(
                bits == 16 ? static_cast<std::uint16_t>(row[2 * x] | row[2 * x + 1] << 8) : row[x]);
    }
    for (const unsigned tag : {zeiss_tag, fei_tag}) {
        std::uint32_t count = 0;
        const char* text = nullptr;
        if (TIFFGetField(tiff.get(), tag, &count, &text) == 1) {
            image.header_tag = tag;
            image.header.assign(text, count);
        }
    }
    return image;
}

[[noreturn]] void refuse_jpeg(j_common_ptr) {
    throw Unreadable("libjpeg gives up");
}
void refuse_jpeg_warning(j_common_ptr, int level) {
    if (level < 0) throw Unreadable("libjpeg warns");
}

Image read_jpeg(const Bytes& bytes) {
    jpeg_decompress_struct info{};
    jpeg_error_mgr errors{};
    info.err = jpeg_std_error(&errors);
    errors.error_exit = refuse_jpeg;
    errors.emit_message = refuse_jpeg_warning;
    jpeg_create_decompress(&info);
    const std::unique_ptr<jpeg_decompress_struct, void (*)(jpeg_decompress_struct*)> guard(
        &info, jpeg_destroy_decompress);
    jpeg_mem_src(&info, bytes.data(), bytes.size());
    jpeg_read_header(&info, TRUE);
    check_size(info.image_width, info.image_height);
    jpeg_start_decompress(&info);
    Image image{
        static_cast<int>(info.output_width), static_cast<int>(info.output_height), 8, {}, 0, {}};
    std::vector<std::uint8_t> row(info.output_width);
    while (info.output_scanline < info.output_height) {
        JSAMPROW rows = row.data();
        jpeg_read_scanlines(&info, &rows, 1);
        image.pixels.insert(image.pixels.end(), row.begin(), row.end());
    }
    return image;
}

struct Source {
    const Bytes* bytes;
    std::size_t position;
};

void read_png_bytes(png_structp png, png_bytep out, png_size_t count) {
    auto& source = *static_cast<Source*>(png_get_io_ptr(png));
    if (source.position + count > source.bytes->size()) throw Unreadable("PNG ends early");
    std::copy_n(source.bytes->data() + source.position, count, out);
    source.position += count;
}

[[noreturn]] void refuse_png(png_structp, png_const_charp cause) {
    throw Unreadable(cause);
}

Image read_png(const Bytes& bytes) {
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, nullptr, refuse_png, nullptr);
    png_infop info = png_create_info_struct(png);
    const auto release = [&info](png_structp p) { png_destroy_read_struct(&p, &info, nullptr); };
    const std::unique_ptr<png_struct, decltype(release)> guard(png, release);
    Source source{&bytes, 0};
    png_set_read_fn(png, &source, read_png_bytes);
    png_read_info(png, info);
    const auto width = png_get_image_width(png, info), height = png_get_image_height(png, info);
    check_size(width, height);
    const int bits = png_get_bit_depth(png, info);
    if (bits == 16) png_set_swap(png);
    Image image{static_cast<int>(width), static_cast<int>(height), bits, {}, 0, {}};
    std::vector<std::uint8_t> row(png_get_rowbytes(png, info));
    for (png_uint_32 y = 0; y < height; ++y) {
        png_read_row(png, row.data(), nullptr);
        for (std::size_t x = 0; x < width; ++x)
            image.pixels.push_back(
                bits == 16 ? static_cast<std::uint16_t>(row[2 * x] | row[2 * x + 1] << 8) : row[x]);
    }
    png_read_end(png, info);
    return image;
}

}  // namespace

Image read_image(const File& file) {
    if (file.path.ends_with("jpg")) return read_jpeg(file.bytes);
    if (file.path.ends_with("png")) return read_png(file.bytes);
    return read_tiff(file.bytes);
}

}  // namespace nanoatlas::synth::testing
