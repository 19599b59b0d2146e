#include "synth/encode.hpp"

#include <jpeglib.h>
#include <png.h>
#include <tiffio.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>

#include "base/check.hpp"

namespace nanoatlas::synth {
namespace {

// One row at 8 bit, rounded, or at 16 in this machine's order of bytes.
Bytes row_bytes(const Picture& picture, int y, int bits) {
    const std::uint16_t* row = picture.row(y);
    Bytes bytes(static_cast<std::size_t>(picture.width * bits / 8));
    if (bits == 16)
        std::memcpy(bytes.data(), row, bytes.size());
    else
        std::transform(row, row + picture.width, bytes.begin(), [](std::uint16_t grey) {
            return static_cast<std::uint8_t>((grey + 128) / 257);
        });
    return bytes;
}

// A file in memory that libtiff writes and seeks in.
struct MemoryFile {
    Bytes bytes;
    std::size_t position = 0;
};

MemoryFile& file_of(thandle_t handle) {
    return *static_cast<MemoryFile*>(handle);
}

tmsize_t read_memory(thandle_t handle, void* buffer, tmsize_t size) {
    auto& file = file_of(handle);
    const auto left = file.bytes.size() - std::min(file.position, file.bytes.size());
    const auto count = std::min(static_cast<std::size_t>(size), left);
    std::memcpy(buffer, file.bytes.data() + file.position, count);
    file.position += count;
    return static_cast<tmsize_t>(count);
}

tmsize_t write_memory(thandle_t handle, void* buffer, tmsize_t size) {
    auto& file = file_of(handle);
    const auto count = static_cast<std::size_t>(size);
    file.bytes.resize(std::max(file.bytes.size(), file.position + count));
    std::memcpy(file.bytes.data() + file.position, buffer, count);
    file.position += count;
    return size;
}

toff_t seek_memory(thandle_t handle, toff_t offset, int origin) {
    auto& file = file_of(handle);
    const std::size_t from = origin == SEEK_CUR   ? file.position
                             : origin == SEEK_END ? file.bytes.size()
                                                  : 0;
    return file.position = from + static_cast<std::size_t>(offset);
}

int close_memory(thandle_t) {
    return 0;
}
toff_t size_of_memory(thandle_t handle) {
    return file_of(handle).bytes.size();
}
int map_memory(thandle_t, void**, toff_t*) {
    return 0;
}
void unmap_memory(thandle_t, void*, toff_t) {}

void set_header(TIFF* tiff, const TiffOptions& options) {
    static char name[] = "SemHeader";
    const TIFFFieldInfo field = {options.header_tag, -1, -1, TIFF_ASCII, FIELD_CUSTOM, 1, 0, name};
    TIFFMergeFieldInfo(tiff, &field, 1);
    TIFFSetField(tiff, options.header_tag, options.header.c_str());
}

void set_grey_palette(TIFF* tiff) {
    std::vector<std::uint16_t> ramp(256);
    for (std::size_t i = 0; i < ramp.size(); ++i) ramp[i] = static_cast<std::uint16_t>(i * 257);
    TIFFSetField(tiff, TIFFTAG_COLORMAP, ramp.data(), ramp.data(), ramp.data());
}

[[noreturn]] void fail_jpeg(j_common_ptr info) {
    char cause[JMSG_LENGTH_MAX];
    info->err->format_message(info, cause);
    throw EnvironmentError(fmt::format("cannot encode a JPEG: {}", cause));
}

void append_png(png_structp png, png_bytep data, png_size_t size) {
    auto& bytes = *static_cast<Bytes*>(png_get_io_ptr(png));
    bytes.insert(bytes.end(), data, data + size);
}

[[noreturn]] void fail_png(png_structp, png_const_charp cause) {
    throw EnvironmentError(fmt::format("cannot encode a PNG: {}", cause));
}

}  // namespace

Bytes encode_tiff(const Picture& picture, const TiffOptions& options) {
    MemoryFile file;
    const std::unique_ptr<TIFF, void (*)(TIFF*)> tiff(
        TIFFClientOpen("synth", "wl", &file, read_memory, write_memory, seek_memory, close_memory,
                       size_of_memory, map_memory, unmap_memory),
        TIFFClose);
    ENSURE(tiff != nullptr, "cannot encode a TIFF: libtiff does not open its stream");
    const bool palette = options.palette && options.bits == 8;
    TIFFSetField(tiff.get(), TIFFTAG_IMAGEWIDTH, picture.width);
    TIFFSetField(tiff.get(), TIFFTAG_IMAGELENGTH, picture.height);
    TIFFSetField(tiff.get(), TIFFTAG_BITSPERSAMPLE, options.bits);
    TIFFSetField(tiff.get(), TIFFTAG_SAMPLESPERPIXEL, 1);
    TIFFSetField(tiff.get(), TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(tiff.get(), TIFFTAG_PHOTOMETRIC,
                 palette ? PHOTOMETRIC_PALETTE : PHOTOMETRIC_MINISBLACK);
    TIFFSetField(tiff.get(), TIFFTAG_COMPRESSION, options.lzw ? COMPRESSION_LZW : COMPRESSION_NONE);
    TIFFSetField(tiff.get(), TIFFTAG_ROWSPERSTRIP, 64);
    if (palette) set_grey_palette(tiff.get());
    if (options.header_tag != 0) set_header(tiff.get(), options);
    for (int y = 0; y < picture.height; ++y) {
        auto row = row_bytes(picture, y, options.bits);
        ENSURE(TIFFWriteScanline(tiff.get(), row.data(), static_cast<std::uint32_t>(y), 0) == 1,
               "cannot encode a TIFF: libtiff does not take row {}", y);
    }
    ENSURE(TIFFFlush(tiff.get()) == 1,
           "cannot encode a TIFF: libtiff does not write its directory");
    return std::move(file.bytes);
}

Bytes encode_jpeg(const Picture& picture, int quality) {
    jpeg_compress_struct info{};
    jpeg_error_mgr errors{};
    info.err = jpeg_std_error(&errors);
    errors.error_exit = fail_jpeg;
    jpeg_create_compress(&info);
    const std::unique_ptr<jpeg_compress_struct, void (*)(jpeg_compress_struct*)> guard(
        &info, jpeg_destroy_compress);
    unsigned char* data = nullptr;
    unsigned long size = 0;
    jpeg_mem_dest(&info, &data, &size);
    info.image_width = static_cast<JDIMENSION>(picture.width);
    info.image_height = static_cast<JDIMENSION>(picture.height);
    info.input_components = 1;
    info.in_color_space = JCS_GRAYSCALE;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, quality, TRUE);
    jpeg_start_compress(&info, TRUE);
    for (int y = 0; y < picture.height; ++y) {
        auto bytes = row_bytes(picture, y, 8);
        JSAMPROW row = bytes.data();
        jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
    const std::unique_ptr<unsigned char, void (*)(void*)> owner(data, std::free);
    return {data, data + size};
}

Bytes encode_png(const Picture& picture, int bits) {
    Bytes bytes;
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, fail_png, nullptr);
    ENSURE(png != nullptr, "cannot encode a PNG: libpng does not start");
    png_infop info = png_create_info_struct(png);
    const auto release = [&info](png_structp p) { png_destroy_write_struct(&p, &info); };
    const std::unique_ptr<png_struct, decltype(release)> guard(png, release);
    png_set_write_fn(png, &bytes, append_png, nullptr);
    // Shot noise does not compress: the fastest level loses little.
    png_set_compression_level(png, 1);
    png_set_filter(png, 0, bits == 8 ? PNG_FILTER_SUB : PNG_FILTER_NONE);
    png_set_IHDR(png, info, static_cast<png_uint_32>(picture.width),
                 static_cast<png_uint_32>(picture.height), bits, PNG_COLOR_TYPE_GRAY,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    if (bits == 16) png_set_swap(png);
    for (int y = 0; y < picture.height; ++y) {
        const auto row = row_bytes(picture, y, bits);
        png_write_row(png, row.data());
    }
    png_write_end(png, info);
    return bytes;
}

}  // namespace nanoatlas::synth
