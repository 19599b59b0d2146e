// One reader for each vendor's header: text in, record out; nothing if the text is not theirs.
#pragma once

#include <optional>
#include <string_view>

#include "metadata/record.hpp"

namespace nanoatlas::metadata {

/// Tag 34118 of Zeiss SmartSEM: a line with a key ("AP_WD") before each line "WD = 5.0 mm".
std::optional<SemRecord> read_zeiss(std::string_view text);
/// Tag 51023 of Fibics Atlas on Zeiss: XML.
std::optional<SemRecord> read_fibics(std::string_view text);
/// Tags 34680 and 34682 of FEI and ThermoFisher: INI with sections.
std::optional<SemRecord> read_fei(std::string_view text);
/// Tag 34683 of ThermoFisher: XML.
std::optional<SemRecord> read_thermofisher_xml(std::string_view text);
/// Tescan's .hdr: INI with sections MAIN and SEM.
std::optional<SemRecord> read_tescan(std::string_view text);
/// SEC's <name>.jpg.txt: "Name : value" lines under "[Image Info]".
std::optional<SemRecord> read_sec(std::string_view text);
/// Hitachi's <name>.txt: INI with the section SemImageFile.
std::optional<SemRecord> read_hitachi(std::string_view text);

}  // namespace nanoatlas::metadata
