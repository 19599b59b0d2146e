#include "atlas/tiles.hpp"

#include <jpeglib.h>

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>

#include "base/check.hpp"

namespace nanoatlas::atlas {
namespace {

/// What part of source pixels [0, source) falls into each of target pixels: weights of a row, as
/// (first source pixel, weights) for each target pixel.
struct AreaWeights {
    int first = 0;
    std::vector<float> weight;
};

std::vector<AreaWeights> area_weights(int source, int target) {
    std::vector<AreaWeights> all(static_cast<std::size_t>(target));
    const double ratio = static_cast<double>(source) / target;
    for (int t = 0; t < target; ++t) {
        const double low = t * ratio, high = std::min<double>((t + 1) * ratio, source);
        auto& weights = all[static_cast<std::size_t>(t)];
        weights.first = static_cast<int>(low);
        for (int s = weights.first; s < high; ++s)
            weights.weight.push_back(static_cast<float>(
                (std::min<double>(s + 1, high) - std::max<double>(s, low)) / (high - low)));
    }
    return all;
}

struct JpegError {
    jpeg_error_mgr manager;
    std::jmp_buf jump;
    char message[JMSG_LENGTH_MAX];
};

[[noreturn]] void leave_on_error(j_common_ptr info) {
    auto* error = reinterpret_cast<JpegError*>(info->err);
    info->err->format_message(info, error->message);
    std::longjmp(error->jump, 1);
}

/// No object with a destructor may live here: errors of the library jump over it.
bool compress(std::span<const std::uint8_t> pixels, int height, int width, int quality,
              JpegError& error, unsigned char** memory, unsigned long* size) {
    jpeg_compress_struct info;
    info.err = jpeg_std_error(&error.manager);
    error.manager.error_exit = leave_on_error;
    if (setjmp(error.jump) != 0) {
        jpeg_destroy_compress(&info);
        return false;
    }
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, memory, size);
    info.image_width = static_cast<JDIMENSION>(width);
    info.image_height = static_cast<JDIMENSION>(height);
    info.input_components = 1;
    info.in_color_space = JCS_GRAYSCALE;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, quality, TRUE);
    info.optimize_coding = TRUE;
    jpeg_start_compress(&info, TRUE);
    while (info.next_scanline < info.image_height) {
        auto* row = const_cast<JSAMPLE*>(pixels.data()) +
                    static_cast<std::size_t>(info.next_scanline) * info.image_width;
        jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    return true;
}

}  // namespace

std::int64_t SheetLayout::tiles_in(std::int64_t sheet) const {
    return std::clamp<std::int64_t>(tiles - sheet * per_sheet(), 0, per_sheet());
}

int SheetLayout::rows_in(std::int64_t sheet) const {
    return static_cast<int>((tiles_in(sheet) + columns - 1) / columns);
}

SheetLayout map_sheets(std::int64_t images, int stored_side) {
    const int wanted = images <= 3000 ? 192 : images <= 30000 ? 128 : 64;
    const int tile = std::min(wanted, stored_side);
    const int along = std::clamp(1024 / tile, 1, 32);
    return {.tile = tile, .columns = along, .rows = along, .tiles = images};
}

std::vector<std::uint8_t> shrink(std::span<const std::uint8_t> image, int height, int width,
                                 int tile) {
    const int longer = std::max(height, width);
    ASSERT(tile <= longer);
    const auto scaled = [&](int side) { return std::max(1, side * tile / longer); };
    const int rows = scaled(height), columns = scaled(width);
    const auto across = area_weights(width, columns), down = area_weights(height, rows);

    std::vector<float> narrow(static_cast<std::size_t>(height) * static_cast<std::size_t>(columns));
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < columns; ++x) {
            const auto& weights = across[static_cast<std::size_t>(x)];
            const auto* pixel =
                image.data() + static_cast<std::ptrdiff_t>(y) * width + weights.first;
            float sum = 0;
            for (const float weight : weights.weight) sum += weight * static_cast<float>(*pixel++);
            narrow[static_cast<std::size_t>(y) * static_cast<std::size_t>(columns) +
                   static_cast<std::size_t>(x)] = sum;
        }
    std::vector<std::uint8_t> result(static_cast<std::size_t>(tile) *
                                     static_cast<std::size_t>(tile));
    const int top = (tile - rows) / 2, left = (tile - columns) / 2;
    for (int y = 0; y < rows; ++y)
        for (int x = 0; x < columns; ++x) {
            const auto& weights = down[static_cast<std::size_t>(y)];
            float sum = 0;
            for (std::size_t s = 0; s < weights.weight.size(); ++s)
                sum += weights.weight[s] * narrow[(static_cast<std::size_t>(weights.first) + s) *
                                                      static_cast<std::size_t>(columns) +
                                                  static_cast<std::size_t>(x)];
            result[static_cast<std::size_t>(y + top) * static_cast<std::size_t>(tile) +
                   static_cast<std::size_t>(x + left)] =
                static_cast<std::uint8_t>(std::clamp(sum + 0.5F, 0.0F, 255.0F));
        }
    return result;
}

std::string encode_jpeg(std::span<const std::uint8_t> pixels, int height, int width, int quality) {
    JpegError error{};
    unsigned char* memory = nullptr;
    unsigned long size = 0;
    const bool done = compress(pixels, height, width, quality, error, &memory, &size);
    std::string bytes = done ? std::string(reinterpret_cast<char*>(memory), size) : std::string();
    std::free(memory);
    ENSURE(done, "cannot encode a sheet of {} x {} pixels as JPEG ({})", width, height,
           error.message);
    return bytes;
}

std::vector<std::uint8_t> draw_sheet(const SheetLayout& layout, std::int64_t sheet,
                                     std::span<const std::vector<std::uint8_t>> tiles) {
    const auto side = static_cast<std::size_t>(layout.tile);
    const auto columns = static_cast<std::size_t>(layout.columns);
    const std::size_t width = columns * side;
    std::vector<std::uint8_t> pixels(width * side *
                                     static_cast<std::size_t>(layout.rows_in(sheet)));
    for (std::size_t t = 0; t < tiles.size(); ++t)
        for (std::size_t y = 0; y < side; ++y)
            std::copy_n(
                tiles[t].begin() + static_cast<std::ptrdiff_t>(y * side), side,
                pixels.begin() + static_cast<std::ptrdiff_t>((t / columns * side + y) * width +
                                                             t % columns * side));
    return pixels;
}

}  // namespace nanoatlas::atlas
