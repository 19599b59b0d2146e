#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "synth/font.hpp"
#include "synth/specimen.hpp"

namespace nanoatlas::synth {
namespace {

constexpr std::uint16_t black = 0, white = 65535;

// Places texts in two lines of a bar.
class Bar {
  public:
    Bar(Picture& picture, int rows, std::uint16_t ground, std::uint16_t ink)
        : picture_(picture), rows_(rows), top_(picture.height - rows), ink_(ink) {
        picture.bar_rows = rows;
        fill(picture, 0, top_, picture.width, picture.height, ground);
        // Sixty letters fit beside one another, if the rows allow for two lines of them.
        dot_ = std::clamp(
            std::min(picture.width / (80 * letter_width), rows / (2 * letter_height + 2)), 1, 16);
    }
    // Line 0 or 1. The bar of a tiny picture has room for line 0 only.
    void write(double share, int number, const std::string& text) {
        if (number == 0 || two_lines())
            draw_text(picture_, column(share), line(number), dot_, ink_, text);
    }
    void divide(double share) {
        fill(picture_, column(share), top_, column(share) + dot_, top_ + rows_, ink_);
    }
    void frame() {
        fill(picture_, 0, top_, picture_.width, top_ + dot_, ink_);
        fill(picture_, 0, picture_.height - dot_, picture_.width, picture_.height, ink_);
        fill(picture_, 0, top_, dot_, picture_.height, ink_);
        fill(picture_, picture_.width - dot_, top_, picture_.width, picture_.height, ink_);
    }
    // In place of a text: a horizontal line of exactly the scale's length, with ticks at its ends.
    void scale(double share, int number, const ScaleBar& scale) {
        const int x = column(share);
        const int y = two_lines() ? line(number) + 3 * dot_ : picture_.height - 2 * dot_;
        fill(picture_, x, y, x + scale.pixels, y + dot_, ink_);
        for (const int end : {x, x + scale.pixels - dot_})
            fill(picture_, end, std::max(top_, y - 3 * dot_), end + dot_, y + 4 * dot_, ink_);
    }

  private:
    bool two_lines() const { return rows_ >= 2 * letter_height * dot_; }
    int line(int number) const {
        const int room = two_lines() ? rows_ / 2 : rows_;
        return top_ + number * room + (room - 7 * dot_) / 2;
    }
    int column(double share) const { return static_cast<int>(share * picture_.width); }

    Picture& picture_;
    int rows_, top_, dot_ = 1;
    std::uint16_t ink_;
};

int bar_rows(const Picture& picture, double share) {
    return std::clamp(static_cast<int>(std::lround(share * picture.width)), 8, picture.height / 2);
}

void draw_zeiss(Picture& picture, const Record& record) {
    const auto scale = choose_scale_bar(record.pixel_size, picture.width);
    Bar bar(picture, bar_rows(picture, 0.1), white, black);
    bar.frame();
    bar.write(0.015, 0, scale.text);
    bar.scale(0.015, 1, scale);
    const double mag = record.magnification;
    bar.write(0.29, 0, fmt::format("EHT = {:.2f} kV", record.settings.voltage / 1e3));
    bar.write(0.29, 1, fmt::format("WD = {:.1f} mm", record.settings.working_distance * 1e3));
    bar.write(
        0.52, 0,
        fmt::format("Signal A = {}", detector_name(Format::zeiss_tiff, record.settings.detector)));
    bar.write(0.52, 1,
              mag < 1000 ? fmt::format("Mag = {:.0f} X", mag)
                         : fmt::format("Mag = {:.2f} K X", mag / 1e3));
    bar.write(0.80, 0, fmt::format("{} {} {}", record.day, month_name(record.month), record.year));
    bar.write(0.80, 1, fmt::format("{:02}:{:02}:{:02}", record.hour, record.minute, record.second));
}

void draw_fei(Picture& picture, const Record& record) {
    const int rows = bar_rows(picture, 79.0 / 1024);
    picture.add_rows(rows);
    Bar bar(picture, rows, black, white);
    const auto field = [&](double share, const std::string& name, const std::string& value) {
        bar.divide(share);
        bar.write(share + 0.012, 0, name);
        bar.write(share + 0.012, 1, value);
    };
    bar.write(0.01, 0, fmt::format("{}/{}/{}", record.month, record.day, record.year));
    bar.write(0.01, 1, fmt::format("{:02}:{:02}:{:02}", record.hour, record.minute, record.second));
    field(0.16, "HV", fmt::format("{:.2f} kV", record.settings.voltage / 1e3));
    field(0.29, "mag", fmt::format("{:.0f} x", record.magnification));
    field(0.42, "det", detector_name(Format::fei_tiff, record.settings.detector));
    field(0.49, "WD", fmt::format("{:.1f} mm", record.settings.working_distance * 1e3));
    bar.divide(0.61);
    const auto scale = choose_scale_bar(record.pixel_size, picture.width);
    bar.scale(0.64, 0, scale);
    bar.write(0.64, 1, scale.text);
    bar.write(0.80, 1, "Nanoatlas");
}

void draw_plain(Picture& picture, const Record& record) {
    Bar bar(picture, bar_rows(picture, 1.0 / 15), black, white);
    const double mag = record.magnification;
    bar.write(0.01, 0, fmt::format("{:.1f}kV", record.settings.voltage / 1e3));
    bar.write(0.01, 1, fmt::format("{:02}/{:02}/{}", record.day, record.month, record.year));
    bar.write(0.17, 0,
              mag < 1000 ? fmt::format("x{:.0f}", mag) : fmt::format("x{:.1f}k", mag / 1e3));
    bar.write(0.29, 0, detector_name(Format::jpeg, record.settings.detector));
    bar.write(0.29, 1, fmt::format("WD {:.1f}mm", record.settings.working_distance * 1e3));
    const auto scale = choose_scale_bar(record.pixel_size, picture.width);
    bar.scale(0.55, 0, scale);
    bar.write(0.55, 1, scale.text);
}

}  // namespace

ScaleBar choose_scale_bar(double pixel_size, int width) {
    const double most = pixel_size * width / 4;
    const double decade = std::pow(10, std::floor(std::log10(most)));
    double length = decade;
    for (const double step : {2.0, 5.0})
        if (step * decade <= most) length = step * decade;
    const bool nanometres = length<0.999e-6, millimetres = length> 0.999e-3;
    const double shown = length * (nanometres ? 1e9 : millimetres ? 1e3 : 1e6);
    return {length, static_cast<int>(std::lround(length / pixel_size)),
            fmt::format("{:.0f} {}", shown,
                        nanometres    ? "nm"
                        : millimetres ? "mm"
                                      : "\xB5m")};
}

void add_info_bar(Picture& picture, Format format, const Record& record) {
    switch (format) {
        case Format::zeiss_tiff:
            return draw_zeiss(picture, record);
        case Format::fei_tiff:
            return draw_fei(picture, record);
        case Format::jpeg:
        case Format::png:
            return draw_plain(picture, record);
    }
}

}  // namespace nanoatlas::synth
