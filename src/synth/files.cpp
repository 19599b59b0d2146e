#include "synth/files.hpp"

#include <fmt/core.h>

#include <sstream>

#include "base/check.hpp"
#include "synth/categories.hpp"
#include "synth/damage.hpp"
#include "synth/vendor_header.hpp"

namespace nanoatlas::synth {
namespace {

constexpr double without_bar = 0.02;

const char* extension_of(Format format) {
    switch (format) {
        case Format::jpeg:
            return "jpg";
        case Format::png:
            return "png";
        case Format::zeiss_tiff:
        case Format::fei_tiff:
            break;
    }
    return "tif";
}

Bytes encode(const Picture& picture, Format format, const Record& record, base::Random& random) {
    const bool deep = random.chance(format == Format::fei_tiff ? 0.4 : 0.15);
    TiffOptions tiff{.bits = deep ? 16 : 8, .lzw = random.chance(0.15)};
    switch (format) {
        case Format::zeiss_tiff:
            tiff.palette = random.chance(0.5);
            tiff.header_tag = zeiss_tag;
            tiff.header = zeiss_header(record, picture);
            return encode_tiff(picture, tiff);
        case Format::fei_tiff:
            tiff.header_tag = fei_tag;
            tiff.header = fei_header(record, picture);
            return encode_tiff(picture, tiff);
        case Format::png:
            return encode_png(picture, tiff.bits);
        case Format::jpeg:
            break;
    }
    return encode_jpeg(picture, 85 + static_cast<int>(random.below(12)));
}

}  // namespace

std::vector<Format> parse_formats(const std::string& names) {
    std::vector<Format> formats;
    std::istringstream list(names);
    for (std::string name; std::getline(list, name, ',');) {
        if (name == "zeiss" || name == "tiff") formats.push_back(Format::zeiss_tiff);
        if (name == "fei" || name == "tiff") formats.push_back(Format::fei_tiff);
        if (name == "jpeg" || name == "jpg") formats.push_back(Format::jpeg);
        if (name == "png") formats.push_back(Format::png);
        const bool known = name == "zeiss" || name == "fei" || name == "tiff" || name == "jpeg" ||
                           name == "jpg" || name == "png";
        VALIDATE(known,
                 "cannot write format '{}' (there is none of that name); choose from zeiss, fei, "
                 "tiff, jpeg, png, separated by commas",
                 name);
    }
    VALIDATE(!formats.empty(),
             "cannot write micrographs without a format (--formats is empty); choose from zeiss, "
             "fei, tiff, jpeg, png, separated by commas");
    return formats;
}

Files::Files(const FolderOptions& options)
    : options_(options), formats_(parse_formats(options.formats)) {
    VALIDATE(
        options.count >= 0 && options.damaged >= 0,
        "cannot draw {} micrographs and {} damaged files (a count is negative); give 0 or more",
        options.count, options.damaged);
    VALIDATE(
        options.size >= 32 && options.size <= 16384,
        "cannot draw micrographs of {0} x {0} pixels (32 to 16384 are possible); choose another "
        "--size",
        options.size);
}

Format Files::format_of(std::int64_t index) const {
    // Neither bound to the category nor to a period of the index.
    base::Random random(options_.seed, base::fnv1a("synth/format"), index);
    return formats_[random.below(formats_.size())];
}

std::string Files::path(std::int64_t number) const {
    const auto folder = categories[static_cast<std::size_t>(label_of(number))].name;
    if (number >= options_.count)
        return fmt::format("{}/{}", folder, damaged_name(number - options_.count));
    return fmt::format("{}/synth_{:06}.{}", folder, number, extension_of(format_of(number)));
}

Bytes Files::sound(std::int64_t index) const {
    const auto format = format_of(index);
    const auto micrograph = draw(options_.seed, index, options_.size);
    base::Random random(options_.seed, base::fnv1a("synth/record"), index);
    const auto name = path(index);
    const auto record = make_record(micrograph, format, name.substr(name.find('/') + 1), random);
    auto picture = to_picture(micrograph);
    if (!random.chance(without_bar)) add_info_bar(picture, format, record);
    return encode(picture, format, record, random);
}

File Files::make(std::int64_t number) const {
    return {path(number), number < options_.count
                              ? sound(number)
                              : damaged_file(options_.seed, number - options_.count)};
}

}  // namespace nanoatlas::synth
