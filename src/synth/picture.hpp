// The picture that goes into a file: 16-bit grey with, mostly, an info bar.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "synth/micrograph.hpp"

namespace nanoatlas::synth {

enum class Format { zeiss_tiff, fei_tiff, jpeg, png };

struct Picture {
    Picture(int columns, int rows)
        : width(columns),
          height(rows),
          pixels(static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows)) {}

    int width, height;
    std::vector<std::uint16_t> pixels;
    int bar_rows = 0;  ///< rows of the info bar at the bottom; 0: there is none

    std::uint16_t* row(int y) { return pixels.data() + offset(y); }
    const std::uint16_t* row(int y) const { return pixels.data() + offset(y); }

    void add_rows(int count) {
        height += count;
        pixels.resize(offset(height));
    }

  private:
    std::size_t offset(int y) const {
        return static_cast<std::size_t>(y) * static_cast<std::size_t>(width);
    }
};

/// What headers and bars say beside the microscope's settings.
struct Record {
    std::string file_name;
    int day, month, year, hour, minute, second;
    double stage_x, stage_y, stage_z;  ///< [m]
    double pixel_size, field_width;    ///< [m]
    Settings settings;
    double magnification;  ///< as the vendor quotes it
};

/// The vendor's name of a detector: "SE2", "ETD", ...
const char* detector_name(Format format, Detector detector);
/// "Jan" to "Dec" of 1 to 12.
const char* month_name(int month);

/// Magnification at which a vendor quotes a field of view.
double quoted_magnification(Format format, double field_width);

Record make_record(const Micrograph& micrograph, Format format, const std::string& file_name,
                   base::Random& random);

Picture to_picture(const Micrograph& micrograph);

/// Length of a scale bar: 1, 2 or 5 times a power of ten, up to a quarter of the field.
struct ScaleBar {
    double length;  ///< [m]
    int pixels;
    std::string text;  ///< "200 nm"; the letter mu is Latin-1, as in the headers
};
ScaleBar choose_scale_bar(double pixel_size, int width);

/// Draws the bar as the format's vendor does: Zeiss's white one over the bottom of the picture,
/// FEI's black one in rows of its own below it, a plain black one over the bottom elsewhere.
void add_info_bar(Picture& picture, Format format, const Record& record);

}  // namespace nanoatlas::synth
