// A TIFF in memory as a move-free RAII handle, its errors as text, its fields as values.
#pragma once

#include <tiffio.h>

#include <cstdint>
#include <string>
#include <vector>

#include "image/codecs.hpp"

namespace nanoatlas::image {

class TiffFile {
  public:
    /// throws Unusable if it is no TIFF
    explicit TiffFile(Bytes file);
    ~TiffFile();
    TiffFile(const TiffFile&) = delete;
    TiffFile& operator=(const TiffFile&) = delete;

    TIFF* get() const { return tiff_; }
    std::size_t bytes() const { return source_.file.size(); }
    /// libtiff's last error, for our own messages.
    std::string error() const;

    /// A field with its default where the file has none.
    template <class T>
    T field(std::uint32_t tag, T otherwise) const {
        T value = otherwise;
        return TIFFGetFieldDefaulted(tiff_, tag, &value) == 1 ? value : otherwise;
    }
    /// Goes to the first page that is not marked as a thumbnail; stays at the first if all are.
    void select_main_page();
    /// The texts of instruments in the page's tags, as UTF-8.
    std::vector<HeaderText> header_texts() const;

  private:
    struct Source {
        Bytes file;
        std::uint64_t position = 0;
        std::string error;
    };
    static tmsize_t read(thandle_t handle, void* out, tmsize_t count);
    static toff_t seek(thandle_t handle, toff_t offset, int whence);
    static void keep_error(thandle_t handle, const char* module, const char* format,
                           va_list values);
    static void install_handlers();
    void add_text(std::uint32_t tag, std::vector<HeaderText>& texts) const;

    Source source_;
    TIFF* tiff_ = nullptr;
};

}  // namespace nanoatlas::image
