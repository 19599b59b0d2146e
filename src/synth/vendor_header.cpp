#include "synth/vendor_header.hpp"

#include <fmt/core.h>

#include <array>
#include <cmath>

namespace nanoatlas::synth {
namespace {

// "1.116500e-008": three digits of exponent, as Windows prints.
std::string windows_number(double value, int digits) {
    auto text = fmt::format("{:.{}e}", value, digits);
    const auto sign = text.find_first_of("+-", text.find('e'));
    if (text.size() - sign == 3) text.insert(sign + 1, "0");
    return text;
}

// "11.16 nm", "1.340 \xB5m": four digits with a unit that suits.
std::string length_text(double metres) {
    const auto digits = [](double value) { return value < 10 ? 3 : value < 100 ? 2 : 1; };
    const auto with = [&](double value, const char* unit) {
        return fmt::format("{:.{}f} {}", value, digits(value), unit);
    };
    if (metres < 1e-9) return with(metres * 1e12, "pm");
    if (metres < 1e-6) return with(metres * 1e9, "nm");
    if (metres < 1e-3) return with(metres * 1e6, "\xB5m");
    return with(metres * 1e3, "mm");
}

}  // namespace

std::string zeiss_header(const Record& record, const Picture& picture) {
    const auto& settings = record.settings;
    const double mag = record.magnification;
    std::string text;
    for (const char* line : {"0", "0", "0"}) text += std::string(line) + "\r\n";
    for (const int zone : {0, 1}) {
        if (zone > 0) text += fmt::format("{}\r\n", zone);
        for (const double value : {record.pixel_size, mag})
            text += windows_number(value, 6) + "\r\n";
        text += "6\r\n";
        for (const double value : {settings.voltage, 2.29, 2e-7, settings.working_distance})
            text += windows_number(value, 6) + "\r\n";
    }
    std::vector<std::pair<const char*, std::string>> entries;
    const auto add = [&](const char* key, std::string line) {
        entries.emplace_back(key, std::move(line));
    };
    const char* detector = detector_name(Format::zeiss_tiff, settings.detector);
    add("DP_IMAGE_STORE", fmt::format("Store resolution = {} * {}", picture.width, picture.height));
    add("DP_DETECTOR_CHANNEL", fmt::format("Signal A = {}", detector));
    add("DP_DETECTOR_TYPE", fmt::format("Detector = {}", detector));
    add("DP_SEM", "Sem = Nanoatlas synth");
    add("DP_COLUMN_TYPE", "Column = 1540XB");
    add("DP_FILAMENT_TYPE", "Filament Type = FE FEI");
    add("DP_SCANRATE", "Scan Speed = 7");
    add("DP_DWELL_TIME", "Dwell Time = 400 ns");
    add("DP_NOISE_REDUCTION", "Noise Reduction = Line Avg");
    add("DP_HIGH_CURRENT", "High Current = Off");
    add("DP_TILT_CORRECTION", "Tilt Corrn. = Off");
    add("DP_VAC_MODE", "Vacuum Mode = High Vacuum");
    add("DP_STAGE_INIT", "Stage Initialised = Yes");
    add("AP_MAG", mag < 1000 ? fmt::format("Mag = {:7.0f} X", mag)
                             : fmt::format("Mag = {:7.2f} K X", mag / 1e3));
    add("AP_WD", fmt::format("WD = {:5.3f} mm", settings.working_distance * 1e3));
    add("AP_ACTUALKV", fmt::format("EHT = {:5.2f} kV", settings.voltage / 1e3));
    add("AP_MANUALKV", fmt::format("EHT Target = {:5.2f} kV", settings.voltage / 1e3));
    add("AP_PIXEL_SIZE", "Pixel Size = " + length_text(record.pixel_size));
    add("AP_IMAGE_PIXEL_SIZE", "Image Pixel Size = " + length_text(record.pixel_size));
    add("AP_WIDTH", "Width = " + length_text(record.field_width));
    add("AP_HEIGHT", "Height = " + length_text(record.pixel_size * picture.height));
    add("AP_APERTURESIZE", "Aperture Size = 30.00 \xB5m");
    add("AP_BEAM_CURRENT",
        "Beam Current =   80.0 \xB5"
        "A");
    add("AP_SYSTEM_VAC", "System Vacuum = 3.10e-006 mbar");
    add("AP_COLUMN_VAC", "Gun Vacuum = 2.30e-010 mbar");
    add("AP_FRAME_TIME", "Cycle Time = 20.2 Secs");
    add("AP_BRIGHTNESS", fmt::format("Brightness = {:5.1f} %", 100 * settings.brightness));
    add("AP_CONTRAST", fmt::format("Contrast = {:5.1f} %", 50 * settings.contrast));
    add("AP_COLLECTOR_BIAS", "Collector Bias =   300 V");
    add("AP_TILT_ANGLE", "Tilt Angle =   0.0 \xB0");
    add("AP_STAGE_AT_X", fmt::format("Stage at X = {:7.4f} mm", record.stage_x * 1e3));
    add("AP_STAGE_AT_Y", fmt::format("Stage at Y = {:7.4f} mm", record.stage_y * 1e3));
    add("AP_STAGE_AT_Z", fmt::format("Stage at Z = {:6.3f} mm", record.stage_z * 1e3));
    add("AP_STAGE_AT_T", "Stage at T =   0.0 \xB0");
    add("AP_TIME",
        fmt::format("Time :{:02}:{:02}:{:02}", record.hour, record.minute, record.second));
    add("AP_DATE",
        fmt::format("Date :{} {} {}", record.day, month_name(record.month), record.year));
    add("SV_VERSION", "Version = V05.07.00.00 : 08-Jul-14");
    add("SV_USER_TEXT", "User Text = drawn by a model");
    add("SV_FILE_NAME", "File Name = " + record.file_name);
    add("SV_USER_NAME", "User Name = SYNTH");
    add("SV_SERIAL_NUMBER", "Serial No. = synth-00-00");
    text += fmt::format("{}\r\n", entries.size());
    for (const auto& [key, line] : entries) text += std::string(key) + "\r\n" + line + "\r\n";
    return text;
}

std::string fei_header(const Record& record, const Picture& picture) {
    const auto& settings = record.settings;
    const char* detector = detector_name(Format::fei_tiff, settings.detector);
    std::string text;
    const auto section = [&](const char* name) { text += fmt::format("[{}]\r\n", name); };
    const auto add = [&](const char* key, const std::string& value) {
        text += fmt::format("{}={}\r\n", key, value);
    };
    const auto number = [](double value) {
        auto plain = fmt::format("{:.6g}", value);
        return plain.find('e') == std::string::npos ? plain : windows_number(value, 5);
    };
    const int image_rows = picture.height - picture.bar_rows;
    const double height = record.pixel_size * image_rows;
    section("User");
    add("Date", fmt::format("{:02}/{:02}/{}", record.month, record.day, record.year));
    add("Time", fmt::format("{:02}:{:02}:{:02}", record.hour, record.minute, record.second));
    add("User", "synth");
    add("UserText", "drawn by a model");
    text += "\r\n";
    section("System");
    for (const auto& [key, value] : {std::pair{"Type", "DualBeam"},
                                     {"Software", "6.3.2.3189"},
                                     {"Source", "FEG"},
                                     {"Column", "FEG"},
                                     {"Stage", "6inch"},
                                     {"SystemType", "Nanoatlas synth"}})
        add(key, value);
    text += "\r\n";
    section("Beam");
    add("HV", number(settings.voltage));
    add("Spot", "3");
    add("Beam", "EBeam");
    add("Scan", "EScan");
    text += "\r\n";
    section("EBeam");
    add("Source", "FEG");
    add("HV", number(settings.voltage));
    add("HFW", number(record.field_width));
    add("VFW", number(height));
    add("WD", number(settings.working_distance));
    add("BeamCurrent", number(5.325e-11));
    add("StageX", number(record.stage_x));
    add("StageY", number(record.stage_y));
    add("StageZ", number(record.stage_z));
    text += "\r\n";
    for (const char* name : {"Scan", "EScan"}) {
        section(name);
        add("InternalScan", "true");
        add(name[0] == 'S' ? "Dwelltime" : "Dwell", number(3e-6));
        add("PixelWidth", number(record.pixel_size));
        add("PixelHeight", number(record.pixel_size));
        add("HorFieldsize", number(record.field_width));
        add("VerFieldsize", number(height));
        add("FrameTime", number(4.8));
        text += "\r\n";
    }
    section("Stage");
    add("StageX", number(record.stage_x));
    add("StageY", number(record.stage_y));
    add("StageZ", number(record.stage_z));
    add("StageT", "0");
    add("WorkingDistance", number(settings.working_distance));
    text += "\r\n";
    section("Image");
    add("DigitalContrast", "1");
    add("DigitalGamma", "1");
    add("ResolutionX", std::to_string(picture.width));
    add("ResolutionY", std::to_string(image_rows));
    add("MagCanvasRealWidth", "0.20720");
    text += "\r\n";
    section("Vacuum");
    add("ChPressure", "0.000312");
    add("UserMode", "High vacuum");
    text += "\r\n";
    section("Detectors");
    add("Number", "1");
    add("Name", detector);
    add("Mode", settings.detector == Detector::backscatter ? "BSE" : "SE");
    text += "\r\n";
    section(detector);
    add("Contrast", fmt::format("{:.4f}", 100 * settings.contrast));
    add("Brightness", fmt::format("{:.4f}", 100 * settings.brightness));
    add("Signal", settings.detector == Detector::backscatter ? "BSE" : "SE");
    text += "\r\n";
    section("PrivateFei");
    add("BitShift", "0");
    add("DataBarSelected", "DateTime HV mag det WD MicronBar Label");
    add("DatabarHeight", std::to_string(picture.bar_rows));
    return text;
}

}  // namespace nanoatlas::synth
