#include "image/prepare.hpp"

#include <charconv>

#include "base/check.hpp"
#include "image/bar.hpp"
#include "image/codecs.hpp"
#include "image/idx.hpp"
#include "image/resize.hpp"
#include "image/tone.hpp"

namespace nanoatlas::image {
namespace {

Decoded decode_idx(const std::string& file, std::int64_t position) {
    const auto images = open_idx_images(file);
    if (position >= images->count) throw Unusable("is not in its IDX file (too few images)");
    Decoded decoded{.format = "IDX"};
    decoded.image.width = images->width;
    decoded.image.height = images->height;
    const auto pixels = std::ptrdiff_t{images->width} * images->height;
    const auto first = images->samples.begin() + position * pixels;
    decoded.image.samples.assign(first, first + pixels);
    return decoded;
}

}  // namespace

Fit parse_fit(const std::string& text) {
    if (text == "crop") return Fit::crop;
    if (text == "squash") return Fit::squash;
    VALIDATE(text == "pad", "cannot read --fit '{}' (no such way); give crop, squash or pad", text);
    return Fit::pad;
}

void parse_bar(const std::string& text, PrepareOptions& options) {
    const std::string prefix = "rows=";
    options.bar_rows = 0;
    if (text == "auto" || text == "keep") {
        options.bar = text == "auto" ? BarRule::find : BarRule::keep;
        return;
    }
    const char* end = text.data() + text.size();
    const bool has_number = text.starts_with(prefix) && text.size() > prefix.size();
    const auto read = has_number
                          ? std::from_chars(text.data() + prefix.size(), end, options.bar_rows)
                          : std::from_chars_result{text.data(), std::errc::invalid_argument};
    VALIDATE(read.ec == std::errc{} && read.ptr == end && options.bar_rows >= 0,
             "cannot read --bar '{}' (no such rule); give auto, keep or rows=N", text);
    options.bar = BarRule::rows;
}

Picture prepare(const Source& source, const PrepareOptions& options) {
    const auto decoded =
        source.idx >= 0 ? decode_idx(source.file(), source.idx) : decode(read_file(source.path));
    const auto& image = decoded.image;
    Picture picture{.width = image.width,
                    .height = image.height,
                    .bits = decoded.bits_in_file,
                    .format = decoded.format,
                    .headers = decoded.headers};
    picture.bar = find_bar(decoded, options);
    const int first = picture.bar.top, end = image.height - picture.bar.bottom;
    // Images of a data set that is used as it is, such as MNIST, keep their values.
    if (picture.format != "IDX") picture.tone = choose_tone(image, first, end);
    auto scaled = scale_to_square(image, first, end, picture.tone, options.fit, options.size);
    picture.pixels = std::move(scaled.pixels);
    picture.scale = scaled.scale;
    return picture;
}

Picture prepare(const std::string& path, const PrepareOptions& options) {
    return prepare(Source{.path = path}, options);
}

}  // namespace nanoatlas::image
