// One file turned into the picture that the corpus stores: decoded, info bar cut off, contrast set,
// scaled. The same for ingest and for classify.
//
//     for (const auto& source : image::list_sources(given).sources) {
//         try {
//             const auto picture = image::prepare(source, {.size = 224});
//             show(picture.pixels);                                         // u8 [224, 224]
//         } catch (const image::Unusable& cause) { ... }
//     }
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "image/grey_image.hpp"
#include "image/list.hpp"

namespace nanoatlas::image {

enum class Fit { crop, squash, pad };
enum class BarRule { find, keep, rows };

struct PrepareOptions {
    int size = 256;       ///< of the picture, a square
    Fit fit = Fit::crop;  ///< crop: the middle square; squash: both ways to size; pad: all of it
    BarRule bar = BarRule::find;  ///< find: from the header, else from the image
    int bar_rows = 0;             ///< for BarRule::rows: rows cut off at the bottom
};

/// Reads "crop", "squash" or "pad"; "auto", "keep" or "rows=N". throw InputError on anything else
Fit parse_fit(const std::string& text);
void parse_bar(const std::string& text, PrepareOptions& options);

/// The rows that an info bar takes.
struct Bar {
    int top = 0, bottom = 0;      ///< rows to cut off at either end; both 0: none
    std::string origin = "none";  ///< "header", "image", "option", "none"
};

/// How samples became 0 .. 255: low and below to 0, high and above to 255.
struct Tone {
    double low = 0, high = 255;
    bool by_percentiles = false;  ///< else the samples are as they were
};

struct Picture {
    std::vector<std::uint8_t> pixels{};  ///< [size, size]
    int width = 0, height = 0;           ///< of the original, info bar included
    int bits = 8;                        ///< of the original
    std::string format{};                ///< "TIFF", "JPEG", "PNG", "IDX"
    Bar bar{};
    Tone tone{};
    std::array<float, 2> scale{1, 1};   ///< original pixels per stored one: rows, columns
    std::vector<HeaderText> headers{};  ///< for metadata::read_record
};

/// Thread-safe. Same pixels wherever it runs. throws Unusable with the cause
Picture prepare(const Source& source, const PrepareOptions& options);
/// A single file, given by its name.
Picture prepare(const std::string& path, const PrepareOptions& options);

}  // namespace nanoatlas::image
