// Messages to the user: plain lines on standard error, and machine-readable JSON lines in a file.
//
// Only rank 0 speaks, unless a function says otherwise. Results (summaries, tables) go to standard
// output through print().
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace nanoatlas::base {

struct LogSettings {
    int rank = 0;
    bool quiet = false;     ///< warnings and errors only
    std::string json_file;  ///< JSON lines beside the plain ones; empty: none
};

/// Applies to all messages from here on. Rank 0 opens the JSON file (appending).
/// throws InputError if the JSON file cannot be opened
void configure_log(const LogSettings& settings);

/// Changes what --quiet and --log-json change, and leaves the rank.
void set_log_outputs(bool quiet, const std::string& json_file);

void log_info(std::string_view message);
void log_warning(std::string_view message);
/// From every rank, with its number.
void log_error(std::string_view message);

/// A line of the job's result on standard output; rank 0 only, silent with --quiet.
void print(std::string_view line);

/// One JSON line {"time": ..., "event": event, ...fields} in the JSON log, if there is one.
/// fields_json: a JSON object as text.
void log_event(std::string_view event, std::string_view fields_json);

bool log_is_quiet();

}  // namespace nanoatlas::base
