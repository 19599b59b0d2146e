// Header texts as Zeiss's SmartSEM and FEI's microscopes write them into their TIFF files.
#pragma once

#include <string>

#include "synth/picture.hpp"

namespace nanoatlas::synth {

inline constexpr unsigned zeiss_tag = 34118, fei_tag = 34682;

/// Tag 34118: values in SI units, then pairs of lines "AP_WD" / "WD = 5.0 mm", Latin-1, CRLF.
std::string zeiss_header(const Record& record, const Picture& picture);

/// Tag 34682: an INI file; sections [User], [System], [Beam], [EBeam], [Scan], [Stage], [Image],
/// [Detectors], [PrivateFei] with DatabarHeight.
std::string fei_header(const Record& record, const Picture& picture);

}  // namespace nanoatlas::synth
