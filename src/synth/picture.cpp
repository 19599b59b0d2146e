#include "synth/picture.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "synth/specimen.hpp"

namespace nanoatlas::synth {

const char* detector_name(Format format, Detector detector) {
    const bool zeiss = format == Format::zeiss_tiff, fei = format == Format::fei_tiff;
    switch (detector) {
        case Detector::in_lens:
            return zeiss ? "InLens" : fei ? "TLD" : "UPPER";
        case Detector::backscatter:
            return zeiss ? "NTS BSD" : fei ? "CBS" : "BSE";
        case Detector::secondary:
            break;
    }
    return zeiss ? "SE2" : fei ? "ETD" : "SEI";
}

const char* month_name(int month) {
    constexpr std::array names = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    return names[static_cast<std::size_t>(month - 1)];
}

double quoted_magnification(Format format, double field_width) {
    // FEI quotes for its screen ("MagCanvasRealWidth"), the Japanese makers for a print of 127 mm.
    const double width = format == Format::zeiss_tiff ? print_width
                         : format == Format::fei_tiff ? 0.2072
                                                      : 0.127;
    return width / field_width;
}

Record make_record(const Micrograph& micrograph, Format format, const std::string& file_name,
                   base::Random& random) {
    const auto between = [&](int low, int high) {
        return low + static_cast<int>(random.below(static_cast<std::uint64_t>(high - low + 1)));
    };
    Record record;
    record.file_name = file_name;
    record.year = between(2012, 2024), record.month = between(1, 12), record.day = between(1, 28);
    record.hour = between(8, 19), record.minute = between(0, 59), record.second = between(0, 59);
    record.stage_x = random.uniform(30e-3, 90e-3);
    record.stage_y = random.uniform(30e-3, 90e-3);
    record.stage_z = random.uniform(20e-3, 45e-3);
    record.pixel_size = micrograph.pixel_size;
    record.field_width = micrograph.field_width();
    record.settings = micrograph.settings;
    record.magnification = quoted_magnification(format, record.field_width);
    return record;
}

Picture to_picture(const Micrograph& micrograph) {
    Picture picture(micrograph.size(), micrograph.size());
    std::ranges::transform(micrograph.grey.values(), picture.pixels.begin(), [](float grey) {
        return static_cast<std::uint16_t>(std::floor(grey * 65535 + 0.5F));
    });
    return picture;
}

}  // namespace nanoatlas::synth
