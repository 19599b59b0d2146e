#include <fmt/core.h>
#include <png.h>

#include <algorithm>
#include <bit>
#include <csetjmp>
#include <cstring>

#include "image/codecs.hpp"

namespace nanoatlas::image {
namespace {

struct Input {
    Bytes file;
    std::size_t position = 0;
    char error[128] = "";
};

[[noreturn]] void on_error(png_structp png, png_const_charp text) {
    auto* input = static_cast<Input*>(png_get_error_ptr(png));
    std::strncpy(input->error, text, sizeof input->error - 1);
    png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

void read_bytes(png_structp png, png_bytep out, std::size_t count) {
    auto* input = static_cast<Input*>(png_get_io_ptr(png));
    if (count > input->file.size() - input->position) png_error(png, "the file ends too early");
    std::memcpy(out, input->file.data() + input->position, count);
    input->position += count;
}

/// longjmp crosses only C frames and members of this class whose locals have no destructors.
class Reader {
  public:
    explicit Reader(Bytes file) : input_{.file = file} {
        png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &input_, on_error, on_warning);
        if (png_ != nullptr) info_ = png_create_info_struct(png_);
        if (info_ == nullptr) {
            png_destroy_read_struct(&png_, nullptr, nullptr);
            throw std::bad_alloc();
        }
    }
    ~Reader() { png_destroy_read_struct(&png_, &info_, nullptr); }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    /// Sets libpng to give 1 or 3 channels of 8 or 16 bits.
    bool read_header() {
        if (setjmp(png_jmpbuf(png_)) != 0) return false;
        png_set_read_fn(png_, &input_, read_bytes);
        png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
        png_read_info(png_, info_);
        return true;
    }
    bool set_transformations() {
        if (setjmp(png_jmpbuf(png_)) != 0) return false;
        png_set_expand(png_);
        png_set_strip_alpha(png_);
        if (std::endian::native == std::endian::little && png_get_bit_depth(png_, info_) == 16)
            png_set_swap(png_);
        png_set_interlace_handling(png_);
        png_read_update_info(png_, info_);
        return true;
    }
    bool read_rows(png_bytepp rows) {
        if (setjmp(png_jmpbuf(png_)) != 0) return false;
        png_read_image(png_, rows);
        png_read_end(png_, nullptr);
        return true;
    }

    std::uint32_t width() const { return png_get_image_width(png_, info_); }
    std::uint32_t height() const { return png_get_image_height(png_, info_); }
    int channels() const { return png_get_channels(png_, info_); }
    int bits() const { return png_get_bit_depth(png_, info_); }
    std::size_t row_bytes() const { return png_get_rowbytes(png_, info_); }
    std::string error() const { return input_.error; }

  private:
    Input input_;
    png_structp png_ = nullptr;
    png_infop info_ = nullptr;
};

template <class Sample>
void to_grey(const std::uint8_t* raw, std::size_t count, int channels, std::uint16_t* out) {
    const auto sample = [raw](std::size_t i) {
        Sample value;
        std::memcpy(&value, raw + i * sizeof value, sizeof value);
        return value;
    };
    if (channels == 1)
        for (std::size_t i = 0; i < count; ++i) out[i] = sample(i);
    else
        for (std::size_t i = 0; i < count; ++i)
            out[i] = luma(sample(3 * i), sample(3 * i + 1), sample(3 * i + 2));
}

}  // namespace

Decoded decode_png(Bytes file) {
    Reader reader(file);
    if (!reader.read_header())
        throw Unusable(fmt::format("is no readable PNG ({})", reader.error()));
    check_size(reader.width(), reader.height(), file.size(), 8);
    Decoded decoded{.format = "PNG", .bits_in_file = reader.bits()};
    if (!reader.set_transformations())
        throw Unusable(fmt::format("is no readable PNG ({})", reader.error()));

    std::vector<std::uint8_t> raw(reader.row_bytes() * reader.height());
    std::vector<png_bytep> rows(reader.height());
    for (std::size_t y = 0; y < rows.size(); ++y) rows[y] = raw.data() + y * reader.row_bytes();
    if (!reader.read_rows(rows.data()))
        throw Unusable(fmt::format("is truncated or damaged ({})", reader.error()));

    auto& image = decoded.image;
    image.width = static_cast<int>(reader.width());
    image.height = static_cast<int>(reader.height());
    image.bits = reader.bits();
    image.samples.resize(std::size_t{reader.width()} * reader.height());
    if (image.bits == 16)
        to_grey<std::uint16_t>(raw.data(), image.samples.size(), reader.channels(),
                               image.samples.data());
    else
        to_grey<std::uint8_t>(raw.data(), image.samples.size(), reader.channels(),
                              image.samples.data());
    return decoded;
}

}  // namespace nanoatlas::image
