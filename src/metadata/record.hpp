// What is known of how an image was taken, whoever made the microscope.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "image/prepare.hpp"

namespace nanoatlas::metadata {

/// All quantities in SI units; what the header does not say is absent.
struct SemRecord {
    std::string vendor{}, instrument{}, serial_number{}, software{}, detector{}, user{}, sample{};
    std::string date_time{};                       ///< ISO 8601, local time of the instrument
    std::optional<double> accelerating_voltage{};  ///< [V]
    std::optional<double> working_distance{};      ///< [m]
    std::optional<double> magnification{};
    std::optional<double> beam_current{};      ///< of the probe [A]
    std::optional<double> aperture{};          ///< diameter [m]
    std::optional<double> chamber_pressure{};  ///< [Pa]
    std::optional<double> stage_tilt{};        ///< [rad]
    std::optional<double> dwell_time{};        ///< [s]
    std::optional<double> pixel_size{};        ///< as the header says [m]
    std::optional<double>
        pixel_size_width{};  ///< width of the image that this is the pixel size of
    /// Names and values as they stand in the header.
    std::vector<std::pair<std::string, std::string>> original{};
};

/// Reads the header in the picture, else the text of its sidecar (may be empty).
/// A header that is damaged or of no known vendor gives a record with less in it, never an error.
SemRecord read_record(const image::Picture& picture, const std::string& sidecar);

/// Pixel size of the picture's original [m], for its own width; NaN where it is unknown.
double pixel_size_of(const SemRecord& record, const image::Picture& picture);

/// The record as one JSON object: the fields above by their names, and "format", "width", "height",
/// "bits" of the file, "pixel_size" for its width, "field_of_view" [width, height] in m without the
/// info bar, "data_bar_height" and "data_bar" {top, bottom, origin} in rows, "tone" {low, high,
/// by_percentiles}, "original". At most about 4 KiB: long headers are cut between fields.
std::string to_json(const SemRecord& record, const image::Picture& picture);

}  // namespace nanoatlas::metadata
