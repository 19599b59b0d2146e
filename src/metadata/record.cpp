#include "metadata/record.hpp"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "image/text.hpp"
#include "metadata/vendors.hpp"

namespace nanoatlas::metadata {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::size_t max_original = 3000, max_value = 300;

std::optional<SemRecord> read_header(const image::HeaderText& header) {
    switch (header.tag) {
        case 34118:
            return read_zeiss(header.text);
        case 51023:
            return read_fibics(header.text);
        case 34680:
        case 34682:
            return read_fei(header.text);
        case 34683:
            return read_thermofisher_xml(header.text);
        default:
            return {};
    }
}

std::optional<SemRecord> read_sidecar(const std::string& text) {
    for (const auto reader : {read_sec, read_tescan, read_hitachi})
        if (auto record = reader(text)) return record;
    return {};
}

void put(Json& json, const char* name, const std::string& value) {
    if (!value.empty()) json[name] = value.substr(0, max_value);
}

void put(Json& json, const char* name, const std::optional<double>& value) {
    if (value && std::isfinite(*value)) json[name] = *value;
}

/// Fields of the header until they take too much room.
Json original_fields(const SemRecord& record) {
    Json original = Json::object();
    std::size_t length = 0;
    for (const auto& [name, value] : record.original) {
        length += name.size() + value.size() + 6;
        if (length > max_original) break;
        if (value.size() <= max_value) original[name] = value;
    }
    return original;
}

void put_picture(Json& json, const image::Picture& picture) {
    json["format"] = picture.format;
    json["width"] = picture.width;
    json["height"] = picture.height;
    json["bits"] = picture.bits;
    json["data_bar_height"] = picture.bar.top + picture.bar.bottom;
    json["data_bar"] = {
        {"top", picture.bar.top}, {"bottom", picture.bar.bottom}, {"origin", picture.bar.origin}};
    json["tone"] = {{"low", picture.tone.low},
                    {"high", picture.tone.high},
                    {"by_percentiles", picture.tone.by_percentiles}};
}

}  // namespace

SemRecord read_record(const image::Picture& picture, const std::string& sidecar) {
    for (const auto& header : picture.headers)
        if (auto record = read_header(header)) return *record;
    if (!sidecar.empty())
        if (auto record = read_sidecar(image::to_utf8(sidecar))) return *record;
    return {};
}

double pixel_size_of(const SemRecord& record, const image::Picture& picture) {
    if (!record.pixel_size || *record.pixel_size <= 0)
        return std::numeric_limits<double>::quiet_NaN();
    const bool has_width = record.pixel_size_width && *record.pixel_size_width > 0;
    return *record.pixel_size * (has_width ? *record.pixel_size_width / picture.width : 1);
}

std::string to_json(const SemRecord& record, const image::Picture& picture) {
    Json json = Json::object();
    put(json, "vendor", record.vendor);
    put(json, "instrument", record.instrument);
    put(json, "serial_number", record.serial_number);
    put(json, "software", record.software);
    put(json, "detector", record.detector);
    put(json, "user", record.user);
    put(json, "sample", record.sample);
    put(json, "date_time", record.date_time);
    put(json, "accelerating_voltage", record.accelerating_voltage);
    put(json, "working_distance", record.working_distance);
    put(json, "magnification", record.magnification);
    put(json, "beam_current", record.beam_current);
    put(json, "aperture", record.aperture);
    put(json, "chamber_pressure", record.chamber_pressure);
    put(json, "stage_tilt", record.stage_tilt);
    put(json, "dwell_time", record.dwell_time);
    const double pixel_size = pixel_size_of(record, picture);
    if (std::isfinite(pixel_size)) {
        const int rows = picture.height - picture.bar.top - picture.bar.bottom;
        json["pixel_size"] = pixel_size;
        json["field_of_view"] = {pixel_size * picture.width, pixel_size * rows};
    }
    put_picture(json, picture);
    if (!record.original.empty()) json["original"] = original_fields(record);
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace nanoatlas::metadata
