#include "tests/image/crafted.hpp"

#include <cstdio>
// jpeglib.h needs FILE before it.
#include <jpeglib.h>
#include <png.h>
#include <tiffio.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>

namespace nanoatlas::testing {
namespace {

void append(FileBytes& bytes, const void* data, std::size_t count) {
    const auto* first = static_cast<const std::uint8_t*>(data);
    bytes.insert(bytes.end(), first, first + count);
}

void append_big_endian(FileBytes& bytes, std::uint32_t value) {
    for (const int shift : {24, 16, 8, 0})
        bytes.push_back(static_cast<std::uint8_t>(value >> shift));
}

// libtiff writes to memory through these.
struct Memory {
    FileBytes bytes;
    std::size_t position = 0;
};

tmsize_t read_memory(thandle_t handle, void* out, tmsize_t count) {
    auto* memory = static_cast<Memory*>(handle);
    const auto left = memory->bytes.size() - std::min(memory->position, memory->bytes.size());
    const auto bytes = std::min(left, static_cast<std::size_t>(count));
    std::memcpy(out, memory->bytes.data() + memory->position, bytes);
    memory->position += bytes;
    return static_cast<tmsize_t>(bytes);
}

tmsize_t write_memory(thandle_t handle, void* data, tmsize_t count) {
    auto* memory = static_cast<Memory*>(handle);
    const auto bytes = static_cast<std::size_t>(count);
    memory->bytes.resize(std::max(memory->bytes.size(), memory->position + bytes));
    std::memcpy(memory->bytes.data() + memory->position, data, bytes);
    memory->position += bytes;
    return count;
}

toff_t seek_memory(thandle_t handle, toff_t offset, int whence) {
    auto* memory = static_cast<Memory*>(handle);
    if (whence == SEEK_CUR) offset += memory->position;
    if (whence == SEEK_END) offset += memory->bytes.size();
    memory->position = offset;
    return offset;
}

template <class T>
void put_sample(FileBytes& row, double value) {
    const T sample = static_cast<T>(value);
    append(row, &sample, sizeof sample);
}

void put_sample(FileBytes& row, const TiffSpec& spec, int value) {
    const bool whole = spec.samples == Samples::unsigned_whole;
    if (spec.samples == Samples::floating)
        return spec.bits == 32 ? put_sample<float>(row, value / 65535.0 - 0.25)
                               : put_sample<double>(row, value / 65535.0 - 0.25);
    const double offset = whole ? 0 : -32768;
    switch (spec.bits) {
        case 8:
            return whole ? put_sample<std::uint8_t>(row, value / 256)
                         : put_sample<std::int8_t>(row, value / 256 - 128);
        case 16:
            return whole ? put_sample<std::uint16_t>(row, value)
                         : put_sample<std::int16_t>(row, value + offset);
        default:
            return whole ? put_sample<std::uint32_t>(row, value * 1000.0)
                         : put_sample<std::int32_t>(row, (value + offset) * 1000.0);
    }
}

void set_palette(TIFF* tiff, const TiffSpec& spec) {
    const auto entries = std::size_t{1} << spec.bits;
    std::vector<std::uint16_t> grey(entries);
    for (std::size_t i = 0; i < entries; ++i)
        grey[i] = static_cast<std::uint16_t>((spec.inverse_palette ? entries - 1 - i : i) * 65535 /
                                             (entries - 1));
    TIFFSetField(tiff, TIFFTAG_COLORMAP, grey.data(), grey.data(), grey.data());
}

void set_texts(TIFF* tiff, const TiffSpec& spec) {
    static char name[] = "instrument header";
    for (const auto& [tag, text] : spec.texts) {
        const TIFFFieldInfo info{static_cast<ttag_t>(tag),
                                 TIFF_VARIABLE2,
                                 TIFF_VARIABLE2,
                                 TIFF_ASCII,
                                 FIELD_CUSTOM,
                                 1,
                                 1,
                                 name};
        TIFFMergeFieldInfo(tiff, &info, 1);
        TIFFSetField(tiff, static_cast<ttag_t>(tag), static_cast<std::uint32_t>(text.size() + 1),
                     text.c_str());
    }
}

void set_fields(TIFF* tiff, const TiffSpec& spec) {
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, spec.width);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, spec.height);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, spec.bits);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, spec.channels);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, spec.photometric);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, spec.compression);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG,
                 spec.separate ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG);
    const int format = spec.samples == Samples::floating       ? SAMPLEFORMAT_IEEEFP
                       : spec.samples == Samples::signed_whole ? SAMPLEFORMAT_INT
                                                               : SAMPLEFORMAT_UINT;
    TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, format);
    if (spec.tile > 0) {
        TIFFSetField(tiff, TIFFTAG_TILEWIDTH, spec.tile);
        TIFFSetField(tiff, TIFFTAG_TILELENGTH, spec.tile);
    } else {
        TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 5);
    }
    if (spec.photometric == PHOTOMETRIC_PALETTE) set_palette(tiff, spec);
    set_texts(tiff, spec);
}

/// Samples of channels [first, end) of pixels [x0, x1) of a row.
FileBytes tiff_row(const TiffSpec& spec, const Pattern& pattern, int y, int x0, int x1, int first,
                   int end) {
    FileBytes row;
    for (int x = x0; x < x1; ++x)
        for (int c = first; c < end; ++c) put_sample(row, spec, pattern(x, y, c));
    return row;
}

void write_tiles(TIFF* tiff, const TiffSpec& spec, const Pattern& pattern) {
    for (int y0 = 0; y0 < spec.height; y0 += spec.tile)
        for (int x0 = 0; x0 < spec.width; x0 += spec.tile) {
            FileBytes tile;
            for (int y = y0; y < y0 + spec.tile; ++y) {
                const auto row = tiff_row(spec, pattern, y, x0, x0 + spec.tile, 0, spec.channels);
                append(tile, row.data(), row.size());
            }
            TIFFWriteTile(tiff, tile.data(), static_cast<std::uint32_t>(x0),
                          static_cast<std::uint32_t>(y0), 0, 0);
        }
}

void write_rows(TIFF* tiff, const TiffSpec& spec, const Pattern& pattern) {
    const int planes = spec.separate ? spec.channels : 1;
    for (int plane = 0; plane < planes; ++plane)
        for (int y = 0; y < spec.height; ++y) {
            auto row = spec.separate ? tiff_row(spec, pattern, y, 0, spec.width, plane, plane + 1)
                                     : tiff_row(spec, pattern, y, 0, spec.width, 0, spec.channels);
            TIFFWriteScanline(tiff, row.data(), static_cast<std::uint32_t>(y),
                              static_cast<std::uint16_t>(plane));
        }
}

void write_page(TIFF* tiff, const TiffSpec& spec, const Pattern& pattern, bool thumbnail) {
    set_fields(tiff, spec);
    if (thumbnail) TIFFSetField(tiff, TIFFTAG_SUBFILETYPE, FILETYPE_REDUCEDIMAGE);
    if (spec.tile > 0)
        write_tiles(tiff, spec, pattern);
    else
        write_rows(tiff, spec, pattern);
    TIFFWriteDirectory(tiff);
}

void write_to_vector(png_structp png, png_bytep data, std::size_t count) {
    append(*static_cast<FileBytes*>(png_get_io_ptr(png)), data, count);
}

}  // namespace

int hill(int x, int y, int channel) {
    const double value =
        0.5 + 0.3 * std::sin(x * 0.11) * std::cos(y * 0.09) + 0.1 * std::sin((x + 2 * y) * 0.3);
    return static_cast<int>(65535 * std::clamp(value * (1 - 0.1 * channel), 0.0, 1.0));
}

FileBytes make_jpeg(const JpegSpec& spec, const Pattern& pattern) {
    jpeg_compress_struct codec{};
    jpeg_error_mgr errors{};
    codec.err = jpeg_std_error(&errors);
    jpeg_create_compress(&codec);
    unsigned char* buffer = nullptr;
    unsigned long size = 0;
    jpeg_mem_dest(&codec, &buffer, &size);
    codec.image_width = static_cast<JDIMENSION>(spec.width);
    codec.image_height = static_cast<JDIMENSION>(spec.height);
    codec.input_components = spec.channels;
    codec.in_color_space = spec.channels == 1   ? JCS_GRAYSCALE
                           : spec.channels == 3 ? JCS_RGB
                                                : JCS_CMYK;
    jpeg_set_defaults(&codec);
    jpeg_set_quality(&codec, spec.quality, TRUE);
    if (spec.progressive) jpeg_simple_progression(&codec);
    jpeg_start_compress(&codec, TRUE);
    FileBytes row(static_cast<std::size_t>(spec.width * spec.channels));
    for (int y = 0; y < spec.height; ++y) {
        for (int x = 0; x < spec.width; ++x)
            for (int c = 0; c < spec.channels; ++c)
                row[static_cast<std::size_t>(x * spec.channels + c)] =
                    static_cast<std::uint8_t>(pattern(x, y, c) / 256);
        JSAMPROW rows[1] = {row.data()};
        jpeg_write_scanlines(&codec, rows, 1);
    }
    jpeg_finish_compress(&codec);
    jpeg_destroy_compress(&codec);
    FileBytes bytes(buffer, buffer + size);
    std::free(buffer);
    return bytes;
}

FileBytes make_png(const PngSpec& spec, const Pattern& pattern) {
    FileBytes bytes;
    auto* png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
    auto* info = png_create_info_struct(png);
    png_set_write_fn(png, &bytes, write_to_vector, nullptr);
    constexpr int types[] = {PNG_COLOR_TYPE_PALETTE, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA,
                             PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
    png_set_IHDR(png, info, static_cast<png_uint_32>(spec.width),
                 static_cast<png_uint_32>(spec.height), spec.bits, types[spec.channels],
                 spec.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    std::vector<png_color> greys;
    for (int i = 0; i < 16; ++i)
        greys.push_back({static_cast<png_byte>(17 * i), static_cast<png_byte>(17 * i),
                         static_cast<png_byte>(17 * i)});
    if (spec.channels == 0) png_set_PLTE(png, info, greys.data(), 16);
    png_write_info(png, info);
    if (spec.bits == 16 && std::endian::native == std::endian::little) png_set_swap(png);
    std::vector<FileBytes> rows;
    for (int y = 0; y < spec.height; ++y) {
        auto& row = rows.emplace_back();
        for (int x = 0; x < spec.width; ++x)
            for (int c = 0; c < std::max(1, spec.channels); ++c) {
                const int value = pattern(x, y, c);
                if (spec.bits == 16)
                    put_sample<std::uint16_t>(row, value);
                else
                    put_sample<std::uint8_t>(row, spec.channels == 0 ? value >> 12 : value / 256);
            }
    }
    std::vector<png_bytep> pointers;
    for (auto& row : rows) pointers.push_back(row.data());
    png_write_image(png, pointers.data());
    png_write_end(png, nullptr);
    png_destroy_write_struct(&png, &info);
    return bytes;
}

FileBytes make_tiff(const TiffSpec& spec, const Pattern& pattern) {
    TIFFSetWarningHandler(nullptr);
    Memory memory;
    TIFF* tiff = TIFFClientOpen(
        "crafted", spec.big_endian ? "wb" : "wl", &memory, read_memory, write_memory, seek_memory,
        [](thandle_t) { return 0; },
        [](thandle_t handle) -> toff_t { return static_cast<Memory*>(handle)->bytes.size(); },
        nullptr, nullptr);
    if (tiff == nullptr) throw std::runtime_error("libtiff does not write");
    TiffSpec small = spec;
    small.width = small.height = 16;
    small.tile = 0;
    for (int i = 0; i < spec.thumbnails_before; ++i)
        write_page(
            tiff, small, [](int, int, int) { return 40000; }, true);
    write_page(tiff, spec, pattern, false);
    for (int i = 0; i < spec.pages_after; ++i)
        write_page(
            tiff, spec, [](int, int, int) { return 9000; }, false);
    TIFFClose(tiff);
    return memory.bytes;
}

FileBytes make_idx_images(int count, int height, int width) {
    FileBytes bytes;
    append_big_endian(bytes, 0x803);
    for (const int size : {count, height, width})
        append_big_endian(bytes, static_cast<std::uint32_t>(size));
    for (int i = 0; i < count; ++i)
        bytes.insert(bytes.end(), static_cast<std::size_t>(height * width),
                     static_cast<std::uint8_t>(i));
    return bytes;
}

FileBytes make_idx_labels(int count) {
    FileBytes bytes;
    append_big_endian(bytes, 0x801);
    append_big_endian(bytes, static_cast<std::uint32_t>(count));
    for (int i = 0; i < count; ++i) bytes.push_back(static_cast<std::uint8_t>(i % 10));
    return bytes;
}

FileBytes gzip(const FileBytes& plain) {
    z_stream stream{};
    deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    FileBytes packed(deflateBound(&stream, plain.size()) + 64);
    stream.next_in = const_cast<Bytef*>(plain.data());
    stream.avail_in = static_cast<uInt>(plain.size());
    stream.next_out = packed.data();
    stream.avail_out = static_cast<uInt>(packed.size());
    deflate(&stream, Z_FINISH);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
}

void write_file(const std::string& path, const FileBytes& bytes) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
}

void write_file(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
}

}  // namespace nanoatlas::testing
