#include <array>
#include <pugixml.hpp>

#include "metadata/fields.hpp"
#include "metadata/vendors.hpp"

namespace nanoatlas::metadata {
namespace {

/// Of some 750 fields, those worth keeping in the record's "original".
constexpr std::array<std::string_view, 27> kept = {"AP_ACTUALKV",
                                                   "AP_APERTURESIZE",
                                                   "AP_BEAM_CURRENT",
                                                   "AP_BRIGHTNESS",
                                                   "AP_CONTRAST",
                                                   "AP_DATE",
                                                   "AP_FRAME_TIME",
                                                   "AP_HEIGHT",
                                                   "AP_IMAGE_PIXEL_SIZE",
                                                   "AP_IPROBE",
                                                   "AP_MAG",
                                                   "AP_PIXEL_SIZE",
                                                   "AP_SCANROTATION",
                                                   "AP_STAGE_AT_R",
                                                   "AP_STAGE_AT_T",
                                                   "AP_STAGE_AT_X",
                                                   "AP_STAGE_AT_Y",
                                                   "AP_STAGE_AT_Z",
                                                   "AP_SYSTEM_VAC",
                                                   "AP_TIME",
                                                   "AP_WD",
                                                   "AP_WIDTH",
                                                   "DP_DETECTOR_CHANNEL",
                                                   "DP_DWELL_TIME",
                                                   "DP_IMAGE_STORE",
                                                   "DP_NOISE_REDUCTION",
                                                   "DP_SEM"};

bool is_key(const std::string& line) {
    return line.size() > 3 && line[2] == '_' &&
           (line.starts_with("AP") || line.starts_with("DP") || line.starts_with("SV"));
}

/// Key lines with the value of the line that follows: "WD = 5.0 mm", or "Date :9 Dec 2019".
Fields parse_smartsem(std::string_view text) {
    Fields fields;
    const auto lines = split_lines(text);
    for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
        if (!is_key(lines[i]) || is_key(lines[i + 1])) continue;
        const auto& line = lines[i + 1];
        const auto equals = line.find('='), colon = line.find(':');
        const auto separator = equals != std::string::npos ? equals : colon;
        if (separator != std::string::npos)
            fields.add(lines[i], trimmed(line.substr(separator + 1)));
    }
    return fields;
}

/// "30.00 kV" in "[1] 30 um [HC] (30.00 kV)".
std::optional<double> in_parentheses(const std::string& text) {
    const auto open = text.rfind('('), close = text.rfind(')');
    if (open == std::string::npos || close == std::string::npos || close < open) return {};
    return quantity(std::string_view(text).substr(open + 1, close - open - 1));
}

std::optional<double> number_of(const pugi::xml_node& node) {
    const std::string unit = node.attribute("units").value();
    return quantity(std::string(node.child_value()) + " " + unit);
}

}  // namespace

std::optional<SemRecord> read_zeiss(std::string_view text) {
    const auto fields = parse_smartsem(text);
    if (fields.all().empty()) return {};
    SemRecord record{.vendor = "Zeiss",
                     .instrument = fields.text("DP_SEM"),
                     .serial_number = fields.text("SV_SERIAL_NUMBER"),
                     .software = fields.text("SV_VERSION"),
                     .detector = fields.first_text({"DP_DETECTOR_CHANNEL", "DP_DETECTOR_TYPE"}),
                     .user = fields.text("SV_USER_NAME"),
                     .sample = fields.text("SV_SAMPLE_ID"),
                     .date_time = iso_date_time(fields.text("AP_DATE"), fields.text("AP_TIME"))};
    record.accelerating_voltage =
        fields.number(fields.has("AP_ACTUALKV") ? "AP_ACTUALKV" : "AP_MANUALKV");
    record.working_distance = fields.number("AP_WD");
    record.magnification = fields.number("AP_MAG");
    record.beam_current = fields.number("AP_IPROBE");
    record.aperture = fields.number("AP_APERTURESIZE");
    record.chamber_pressure = fields.number("AP_SYSTEM_VAC");
    record.stage_tilt = fields.number("AP_STAGE_AT_T");
    record.dwell_time = fields.number("DP_DWELL_TIME");
    record.pixel_size =
        fields.number(fields.has("AP_IMAGE_PIXEL_SIZE") ? "AP_IMAGE_PIXEL_SIZE" : "AP_PIXEL_SIZE");
    const auto resolution = fields.text("DP_IMAGE_STORE");  // "1024 * 768"
    record.pixel_size_width = quantity(resolution.substr(0, resolution.find('*')));
    for (const auto name : kept)
        if (fields.has(name)) record.original.emplace_back(name, fields.text(name));
    return record;
}

std::optional<SemRecord> read_fibics(std::string_view text) {
    pugi::xml_document document;
    // The text is UTF-8 by now, whatever its declaration says.
    if (!document.load_buffer(text.data(), text.size(), pugi::parse_default, pugi::encoding_utf8))
        return {};
    const auto root = document.child("Fibics");
    if (!root) return {};
    const auto image = root.child("Image"), scan = root.child("Scan"), stage = root.child("Stage");
    const std::string date = root.child("Application").child_value("Date");
    SemRecord record{.vendor = "Zeiss",
                     .instrument = image.child_value("Machine"),
                     .software = root.child("Application").child_value("Version"),
                     .detector = image.child_value("Detector"),
                     .date_time = date.substr(0, 19)};
    const std::string aperture = image.child_value("Aperture");
    record.accelerating_voltage = in_parentheses(aperture);
    record.working_distance = number_of(scan.child("Focus"));
    record.dwell_time = number_of(scan.child("Dwell"));
    record.stage_tilt = number_of(stage.child("Tilt"));
    const auto width = number_of(image.child("Width")), field = number_of(scan.child("FOV_X"));
    if (width && field && *width > 0) {
        record.pixel_size = *field / *width;
        record.pixel_size_width = width;
    }
    for (const auto& [section, node] :
         {std::pair{"Image", image}, {"Scan", scan}, {"Stage", stage}})
        for (const auto& child : node.children())
            record.original.emplace_back(std::string(section) + "." + child.name(),
                                         child.child_value());
    return record;
}

}  // namespace nanoatlas::metadata
