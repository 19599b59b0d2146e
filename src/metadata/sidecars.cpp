// Headers that lie in a file beside the image.
#include "metadata/fields.hpp"
#include "metadata/vendors.hpp"

namespace nanoatlas::metadata {
namespace {

/// SEC's sidecar gives the pixel size in micrometres, rounded to one digit, for an image of this
/// width, whatever was saved. So say the publishers of the images we have (battery cathodes,
/// SNE-4500M Plus); the scale bars drawn into those would fit the sidecar's "Frame Size", 480,
/// better.
constexpr double sec_width = 1280;
constexpr double micrometre = 1e-6, nanometre = 1e-9;

void keep_all(const Fields& fields, SemRecord& record) {
    for (const auto& [name, value] : fields.all())
        if (!value.empty()) record.original.emplace_back(name, value);
}

/// "Name : value" lines; of the same name under several headings the first counts.
Fields parse_colons(std::string_view text) {
    Fields fields;
    for (const auto& line : split_lines(text)) {
        const auto colon = line.find(':');
        if (colon != std::string::npos)
            fields.add(trimmed(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
    }
    return fields;
}

std::optional<double> times(std::optional<double> value, double factor) {
    return value ? std::optional(*value * factor) : std::nullopt;
}

}  // namespace

std::optional<SemRecord> read_tescan(std::string_view text) {
    const auto fields = parse_ini(text);
    if (!fields.has("MAIN.PixelSizeX") && !fields.has("SEM.AcceleratorVoltage")) return {};
    SemRecord record{
        .vendor = "Tescan",
        .instrument = fields.text("MAIN.Device"),
        .serial_number = fields.first_text({"MAIN.SerialNumber", "MAIN.DeviceModel"}),
        .software = fields.text("MAIN.SoftwareVersion"),
        .detector = fields.first_text({"SEM.Detector", "SEM.Detector0"}),
        .user = fields.text("MAIN.UserName"),
        .sample = fields.text("MAIN.Note"),
        .date_time = iso_date_time(fields.text("MAIN.Date"), fields.text("MAIN.Time"))};
    record.accelerating_voltage = fields.number("SEM.AcceleratorVoltage");
    record.working_distance = fields.number("SEM.WD");
    record.magnification = fields.number("MAIN.Magnification");
    record.beam_current = fields.number("SEM.PredictedBeamCurrent");
    record.chamber_pressure = fields.number("SEM.ChamberPressure");
    record.stage_tilt = times(fields.number("SEM.StageTilt"), 1.7453292519943295e-2);
    record.dwell_time = fields.number("SEM.DwellTime");
    record.pixel_size = fields.number("MAIN.PixelSizeX");
    keep_all(fields, record);
    return record;
}

std::optional<SemRecord> read_sec(std::string_view text) {
    const auto fields = parse_colons(text);
    if (!fields.has("Model") || !fields.has("Pixel Size")) return {};
    const auto date = fields.text("Date");
    SemRecord record{
        .vendor = "SEC",
        .instrument = fields.text("Model"),
        .detector = fields.text("Detector Mode"),
        .date_time = iso_date_time(date.substr(0, date.find(' ')), fields.text("Time"))};
    // The maker's spelling.
    record.accelerating_voltage =
        quantity(fields.first_text({"Acceleated Voltage", "Accelerated Voltage"}));
    record.working_distance = fields.number("Working Distance");
    record.magnification = fields.number("Magnification");
    record.pixel_size = times(fields.number("Pixel Size"), micrometre);
    record.pixel_size_width = sec_width;
    keep_all(fields, record);
    return record;
}

std::optional<SemRecord> read_hitachi(std::string_view text) {
    const auto fields = parse_ini(text);
    if (!fields.has("SemImageFile.PixelSize")) return {};
    const auto field = [&](const char* name) {
        return fields.text(std::string("SemImageFile.") + name);
    };
    SemRecord record{.vendor = "Hitachi",
                     .instrument = field("InstructName"),
                     .serial_number = field("SerialNumber"),
                     .detector = field("SignalName"),
                     .sample = field("SampleName")};
    record.accelerating_voltage = quantity(field("AcceleratingVoltage"));
    record.working_distance = quantity(field("WorkingDistance"));
    record.magnification = quantity(field("Magnification"));
    record.pixel_size = times(quantity(field("PixelSize")), nanometre);
    const auto size = field("DataSize");  // "1280x960"
    record.pixel_size_width = quantity(size.substr(0, size.find('x')));
    keep_all(fields, record);
    return record;
}

}  // namespace nanoatlas::metadata
