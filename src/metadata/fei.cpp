#include <fmt/core.h>

#include <pugixml.hpp>

#include "metadata/fields.hpp"
#include "metadata/vendors.hpp"

namespace nanoatlas::metadata {
namespace {

/// The beam that made the image: "EBeam" or "IBeam", and its scan.
struct Beam {
    std::string beam, scan;
};

Beam active_beam(const Fields& fields) {
    const auto beam = fields.text("Beam.Beam"), scan = fields.text("Beam.Scan");
    return {beam.empty() ? "EBeam" : beam, scan.empty() ? "EScan" : scan};
}

std::optional<double> first_number(const Fields& fields, std::initializer_list<std::string> names) {
    for (const auto& name : names)
        if (const auto value = fields.number(name)) return value;
    return {};
}

/// "08:05:58 PM" as "20:05:58"; a 24-hour clock stays as it is.
std::string clock_of_24_hours(const std::string& time) {
    const auto hour = quantity(time.substr(0, 2));
    if (!hour || time.size() < 8) return "";
    const bool am = time.ends_with("AM"), pm = time.ends_with("PM");
    if (!am && !pm) return time;
    const int hours = static_cast<int>(*hour) % 12 + (pm ? 12 : 0);
    return fmt::format("{:02}{}", hours, time.substr(2, 6));
}

/// TimeOfCreation, "13.02.2020 20:05:58", says day and month in one order only. [User] writes
/// "02/13/2020" as Windows is set: month first, as in America, unless that makes no sense.
std::string date_time_of(const Fields& fields) {
    const auto created = fields.text("PrivateFei.TimeOfCreation");
    if (const auto space = created.find(' '); space != std::string::npos)
        return iso_date_time(created.substr(0, space), created.substr(space));
    const auto date = fields.text("User.Date"), clock = clock_of_24_hours(fields.text("User.Time"));
    if (date.size() != 10 || date[2] != '/') return "";
    const auto month_first =
        iso_date_time(date.substr(3, 2) + "." + date.substr(0, 2) + date.substr(5), clock);
    return month_first.empty() ? iso_date_time(date, clock) : month_first;
}

/// Magnification on the screen: width of the display over width of the scanned field.
std::optional<double> magnification_of(const Fields& fields, std::optional<double> field_width) {
    if (const auto given = first_number(
            fields, {"EBeam.Magnification", "Image.Magnification", "Beam.Magnification"}))
        return given;
    const auto canvas = first_number(fields, {"Image.MagCanvasRealWidth", "System.DisplayWidth"});
    if (!canvas || !field_width || *field_width <= 0) return {};
    return *canvas / *field_width;
}

}  // namespace

std::optional<SemRecord> read_fei(std::string_view text) {
    const auto fields = parse_ini(text);
    const bool is_fei = fields.has("Beam.HV") || fields.has("EBeam.HV") ||
                        fields.has("System.SystemType") || fields.has("EScan.PixelWidth") ||
                        fields.has("Scan.PixelWidth");
    if (!is_fei) return {};
    const auto [beam, scan] = active_beam(fields);
    const auto field_width =
        first_number(fields, {scan + ".HorFieldsize", beam + ".HFW", "Scan.HorFieldsize"});
    SemRecord record{.vendor = "FEI",
                     .instrument = fields.text("System.SystemType"),
                     .serial_number = fields.text("System.Dnumber"),
                     .software = fields.text("System.Software"),
                     .detector = fields.text("Detectors.Name"),
                     .user = fields.text("User.User"),
                     .date_time = date_time_of(fields)};
    record.accelerating_voltage = first_number(fields, {beam + ".HV", "Beam.HV"});
    record.working_distance = first_number(fields, {beam + ".WD", "Stage.WorkingDistance"});
    record.magnification = magnification_of(fields, field_width);
    record.beam_current = fields.number(beam + ".BeamCurrent");
    record.aperture = fields.number(beam + ".ApertureDiameter");
    record.chamber_pressure = fields.number("Vacuum.ChPressure");
    record.stage_tilt = fields.number("Stage.StageT");
    record.dwell_time = first_number(fields, {scan + ".Dwell", "Scan.Dwelltime"});
    record.pixel_size = first_number(fields, {scan + ".PixelWidth", "Scan.PixelWidth"});
    record.pixel_size_width = fields.number("Image.ResolutionX");
    if (!record.pixel_size && field_width && record.pixel_size_width &&
        *record.pixel_size_width > 0)
        record.pixel_size = *field_width / *record.pixel_size_width;
    for (const auto& [name, value] : fields.all())
        if (!value.empty() && name != "User.UserTextUnicode")
            record.original.emplace_back(name, value);
    return record;
}

std::optional<SemRecord> read_thermofisher_xml(std::string_view text) {
    pugi::xml_document document;
    if (!document.load_buffer(text.data(), text.size(), pugi::parse_default, pugi::encoding_utf8))
        return {};
    const auto root = document.child("Metadata");
    if (!root.child("Instrument")) return {};
    const auto instrument = root.child("Instrument"), optics = root.child("Optics");
    const auto detector = root.child("Detectors").first_child();
    SemRecord record{.vendor = "FEI",
                     .instrument = instrument.child_value("InstrumentClass"),
                     .serial_number = instrument.child_value("InstrumentID"),
                     .software = instrument.child_value("ControlSoftwareVersion"),
                     .detector = detector.child_value("DetectorName"),
                     .user = root.child("Core").child_value("UserID"),
                     .date_time = root.child("Acquisition").child_value("AcquisitionDatetime")};
    record.date_time = record.date_time.substr(0, 19);
    record.accelerating_voltage = quantity(optics.child_value("AccelerationVoltage"));
    record.working_distance = quantity(optics.child_value("WorkingDistance"));
    record.beam_current = quantity(optics.child_value("BeamCurrent"));
    record.dwell_time = quantity(root.child("ScanSettings").child_value("DwellTime"));
    record.pixel_size = quantity(root.child("BinaryResult").child("PixelSize").child_value("X"));
    record.pixel_size_width =
        quantity(root.child("BinaryResult").child("ImageSize").child_value("X"));
    return record;
}

}  // namespace nanoatlas::metadata
