#include "base/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <mutex>

#include "base/check.hpp"

namespace nanoatlas::base {
namespace {

struct State {
    LogSettings settings;
    std::shared_ptr<spdlog::logger> logger = make_logger();
    std::ofstream json;
    std::mutex mutex;

    static std::shared_ptr<spdlog::logger> make_logger() {
        auto logger = std::make_shared<spdlog::logger>(
            "nanoatlas", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        logger->set_pattern("%v");
        logger->flush_on(spdlog::level::info);
        return logger;
    }
};

State& state() {
    static State instance;
    return instance;
}

std::string json_text(std::string_view text) {
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') quoted += '\\';
        if (static_cast<unsigned char>(c) < 0x20)
            quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        else
            quoted += c;
    }
    return quoted + '"';
}

void log_message(const char* level, std::string_view message) {
    log_event("message", fmt::format(R"({{"level":"{}","text":{}}})", level, json_text(message)));
}

}  // namespace

void configure_log(const LogSettings& settings) {
    auto& s = state();
    const std::scoped_lock lock(s.mutex);
    s.settings = settings;
    if (s.json.is_open()) s.json.close();
    if (settings.rank == 0 && !settings.json_file.empty()) {
        s.json.open(settings.json_file, std::ios::app);
        VALIDATE(s.json.is_open(),
                 "cannot write the log '{}' (no such folder, or no permission); give another "
                 "--log-json",
                 settings.json_file);
    }
}

void set_log_outputs(bool quiet, const std::string& json_file) {
    configure_log({.rank = state().settings.rank, .quiet = quiet, .json_file = json_file});
}

void log_info(std::string_view message) {
    auto& s = state();
    if (s.settings.rank != 0) return;
    if (!s.settings.quiet) s.logger->info(message);
    log_message("info", message);
}

void log_warning(std::string_view message) {
    auto& s = state();
    if (s.settings.rank != 0) return;
    s.logger->info("warning: {}", message);
    log_message("warning", message);
}

void log_error(std::string_view message) {
    auto& s = state();
    if (s.settings.rank == 0)
        s.logger->info("error: {}", message);
    else
        s.logger->info("error on rank {}: {}", s.settings.rank, message);
    log_message("error", message);
}

void print(std::string_view line) {
    auto& s = state();
    if (s.settings.rank != 0 || s.settings.quiet) return;
    // A reader that went away ("| head") is no reason to lose the job's work: errors are ignored.
    const auto text = fmt::format("{}\n", line);
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

void log_event(std::string_view event, std::string_view fields_json) {
    auto& s = state();
    const std::scoped_lock lock(s.mutex);
    if (!s.json.is_open()) return;
    const auto now =
        std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    s.json << fmt::format(R"({{"time":{:.3f},"event":"{}","data":{}}})", now, event, fields_json)
           << std::endl;
}

bool log_is_quiet() {
    return state().settings.quiet;
}

}  // namespace nanoatlas::base
