#include <csetjmp>
#include <cstdio>
// jpeglib.h needs FILE and size_t before it.
#include <fmt/core.h>
#include <jerror.h>
#include <jpeglib.h>

#include "image/codecs.hpp"

namespace nanoatlas::image {
namespace {

/// A hostile progressive file repeats scans to burn time; real ones have about ten.
constexpr int max_scans = 200;

/// Where libjpeg's errors arrive. longjmp crosses only C frames and functions of this file whose
/// locals have no destructors.
struct Escape {
    jpeg_error_mgr manager;  // first: libjpeg hands back a pointer to it
    std::jmp_buf target;
    char text[JMSG_LENGTH_MAX];
};

[[noreturn]] void leave(j_common_ptr codec) {
    auto* escape = reinterpret_cast<Escape*>(codec->err);
    codec->err->format_message(codec, escape->text);
    std::longjmp(escape->target, 1);
}

/// Warnings that mean lost picture data count as errors; the rest passes.
void on_message(j_common_ptr codec, int level) {
    if (level >= 0) return;
    switch (codec->err->msg_code) {
        case JWRN_JPEG_EOF:
        case JWRN_HIT_MARKER:
        case JWRN_HUFF_BAD_CODE:
        case JWRN_MUST_RESYNC:
        case JWRN_BOGUS_PROGRESSION:
            leave(codec);
        default:
            break;
    }
}

void limit_scans(j_common_ptr codec) {
    auto* decompressor = reinterpret_cast<j_decompress_ptr>(codec);
    if (decompressor->input_scan_number <= max_scans) return;
    decompressor->err->msg_code = JERR_BAD_PROGRESSION;
    leave(codec);
}

void grey_row(const JSAMPLE* row, int width, int components, bool inverted, std::uint16_t* out) {
    if (components == 1) {
        for (int x = 0; x < width; ++x) out[x] = row[x];
        return;
    }
    for (int x = 0; x < width; ++x) {  // CMYK; Adobe writes it inverted
        std::uint32_t ink[4];
        for (int c = 0; c < 4; ++c) ink[c] = inverted ? row[4 * x + c] : 255U - row[4 * x + c];
        out[x] = luma(ink[0] * ink[3] / 255, ink[1] * ink[3] / 255, ink[2] * ink[3] / 255);
    }
}

class Decompressor {
  public:
    Decompressor() {
        codec_.err = jpeg_std_error(&escape_.manager);
        escape_.manager.error_exit = leave;
        escape_.manager.emit_message = on_message;
        escape_.text[0] = '\0';
    }
    ~Decompressor() { jpeg_destroy_decompress(&codec_); }
    Decompressor(const Decompressor&) = delete;
    Decompressor& operator=(const Decompressor&) = delete;

    bool read_header(Bytes file) {
        if (setjmp(escape_.target) != 0) return false;
        jpeg_create_decompress(&codec_);
        progress_.progress_monitor = limit_scans;
        codec_.progress = &progress_;
        jpeg_mem_src(&codec_, file.data(), static_cast<unsigned long>(file.size()));
        jpeg_read_header(&codec_, TRUE);
        const bool is_cmyk =
            codec_.jpeg_color_space == JCS_CMYK || codec_.jpeg_color_space == JCS_YCCK;
        codec_.out_color_space = is_cmyk ? JCS_CMYK : JCS_GRAYSCALE;
        return true;
    }

    /// row: room for one decoded row; samples: [height, width]
    bool read_rows(JSAMPLE* row, std::uint16_t* samples) {
        if (setjmp(escape_.target) != 0) return false;
        jpeg_start_decompress(&codec_);
        while (codec_.output_scanline < codec_.output_height) {
            std::uint16_t* out =
                samples + static_cast<std::size_t>(codec_.output_scanline) * codec_.output_width;
            if (jpeg_read_scanlines(&codec_, &row, 1) != 1) return false;
            grey_row(row, static_cast<int>(codec_.output_width), codec_.output_components,
                     codec_.saw_Adobe_marker != 0, out);
        }
        return true;
    }

    unsigned width() const { return codec_.image_width; }
    unsigned height() const { return codec_.image_height; }
    std::string error() const { return escape_.text; }

  private:
    jpeg_decompress_struct codec_{};
    jpeg_progress_mgr progress_{};
    Escape escape_{};
};

}  // namespace

Decoded decode_jpeg(Bytes file) {
    Decompressor decompressor;
    if (!decompressor.read_header(file))
        throw Unusable(fmt::format("is no readable JPEG ({})", decompressor.error()));
    check_size(decompressor.width(), decompressor.height(), file.size(), 2);

    Decoded decoded{.format = "JPEG"};
    decoded.image.width = static_cast<int>(decompressor.width());
    decoded.image.height = static_cast<int>(decompressor.height());
    decoded.image.samples.resize(std::size_t{decompressor.width()} * decompressor.height());
    std::vector<JSAMPLE> row(std::size_t{decompressor.width()} * 4);
    if (!decompressor.read_rows(row.data(), decoded.image.samples.data()))
        throw Unusable(fmt::format("is truncated or damaged ({})", decompressor.error()));
    return decoded;
}

}  // namespace nanoatlas::image
