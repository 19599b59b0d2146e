#include "image/tiff_file.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <mutex>

#include "image/text.hpp"

namespace nanoatlas::image {
namespace {

/// Pages looked at for one that is no thumbnail; a cyclic chain of directories ends here at last.
constexpr int max_pages = 16;
constexpr std::size_t max_text = std::size_t{4} << 20;
constexpr std::array<std::uint32_t, 6> text_tags = {270, 34118, 34680, 34682, 34683, 51023};

}  // namespace

TiffFile::TiffFile(Bytes file) : source_{.file = file, .position = 0, .error = {}} {
    install_handlers();
    // "m": no memory mapping, so all reads pass through our bounds checks.
    tiff_ = TIFFClientOpen(
        "image", "rm", &source_, read, [](thandle_t, void*, tmsize_t) -> tmsize_t { return 0; },
        seek, [](thandle_t) { return 0; },
        [](thandle_t handle) -> toff_t { return static_cast<Source*>(handle)->file.size(); },
        [](thandle_t, void**, toff_t*) { return 0; }, [](thandle_t, void*, toff_t) {});
    if (tiff_ == nullptr) throw Unusable(fmt::format("is truncated or damaged ({})", error()));
}

TiffFile::~TiffFile() {
    TIFFClose(tiff_);
}

std::string TiffFile::error() const {
    return source_.error.empty() ? "no reason given by the decoder" : source_.error;
}

tmsize_t TiffFile::read(thandle_t handle, void* out, tmsize_t count) {
    auto* source = static_cast<Source*>(handle);
    if (source->position >= source->file.size() || count <= 0) return 0;
    const auto left = source->file.size() - source->position;
    const auto bytes = std::min<std::uint64_t>(left, static_cast<std::uint64_t>(count));
    std::memcpy(out, source->file.data() + source->position, bytes);
    source->position += bytes;
    return static_cast<tmsize_t>(bytes);
}

toff_t TiffFile::seek(thandle_t handle, toff_t offset, int whence) {
    auto* source = static_cast<Source*>(handle);
    if (whence == SEEK_CUR) offset += source->position;
    if (whence == SEEK_END) offset += source->file.size();
    source->position = offset;
    return offset;
}

void TiffFile::keep_error(thandle_t handle, const char* /*module*/, const char* format,
                          va_list values) {
    if (handle == nullptr) return;
    char text[256];
    std::vsnprintf(text, sizeof text, format, values);
    static_cast<Source*>(handle)->error = text;
}

void TiffFile::install_handlers() {
    static std::once_flag once;
    std::call_once(once, [] {
        TIFFSetErrorHandler(nullptr);
        TIFFSetWarningHandler(nullptr);
        TIFFSetErrorHandlerExt(keep_error);
    });
}

void TiffFile::select_main_page() {
    for (int page = 0; page < max_pages; ++page) {
        if ((field<std::uint32_t>(TIFFTAG_SUBFILETYPE, 0) & FILETYPE_REDUCEDIMAGE) == 0) return;
        if (TIFFReadDirectory(tiff_) != 1) break;
    }
    if (TIFFSetDirectory(tiff_, 0) != 1)
        throw Unusable(fmt::format("is truncated or damaged ({})", error()));
}

void TiffFile::add_text(std::uint32_t tag, std::vector<HeaderText>& texts) const {
    const TIFFField* known = TIFFFindField(tiff_, tag, TIFF_ANY);
    if (known == nullptr) return;
    const auto type = TIFFFieldDataType(known);
    if (type != TIFF_ASCII && type != TIFF_BYTE && type != TIFF_UNDEFINED) return;
    const char* text = nullptr;
    std::size_t length = 0;
    if (TIFFFieldPassCount(known)) {
        std::uint32_t count = 0;
        if (TIFFGetField(tiff_, tag, &count, &text) != 1 || text == nullptr) return;
        length = count;
    } else {
        if (TIFFGetField(tiff_, tag, &text) != 1 || text == nullptr) return;
        length = std::strlen(text);
    }
    length = ::strnlen(text, std::min(length, max_text));
    texts.push_back({.tag = static_cast<int>(tag), .text = to_utf8({text, length})});
}

std::vector<HeaderText> TiffFile::header_texts() const {
    std::vector<HeaderText> texts;
    for (const auto tag : text_tags) add_text(tag, texts);
    return texts;
}

}  // namespace nanoatlas::image
