#include "base/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <mutex>

#include "base/log.hpp"
#include "base/stopwatch.hpp"

namespace nanoatlas::base {
namespace {

constexpr double seconds_between_updates_of_a_bar = 0.1;
constexpr double seconds_between_lines_of_a_log = 10;

std::string duration(double seconds) {
    const auto s = std::lround(std::max(0.0, seconds));
    return s < 3600 ? fmt::format("{}:{:02}", s / 60, s % 60)
                    : fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

}  // namespace

struct Progress::State {
    std::string name;
    std::int64_t total;
    std::string unit;
    std::int64_t done = 0;
    std::string note;
    Stopwatch since_start;
    double last_shown = 0;
    bool terminal = isatty(STDERR_FILENO) == 1;
    bool bar_is_open = false;
    std::mutex mutex;

    std::string status() const {
        const double seconds = since_start.seconds();
        const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
        std::string text = total > 0 ? fmt::format("{}/{} {}", done, total, unit)
                                     : fmt::format("{} {}", done, unit);
        text += fmt::format(", {:.{}f} {}/s", rate, rate < 10 ? 2 : 0, unit);
        if (total > 0 && rate > 0 && done < total)
            text += fmt::format(", {} left", duration(static_cast<double>(total - done) / rate));
        if (!note.empty()) text += ", " + note;
        return text;
    }

    void show() {
        last_shown = since_start.seconds();
        if (terminal && !log_is_quiet()) {
            constexpr int width = 24;
            const int filled =
                total > 0 ? static_cast<int>(width * std::min(done, total) / total) : 0;
            fmt::print(stderr, "\r\033[K{} [{:=<{}}{: <{}}] {}", name, "", filled, "",
                       width - filled, status());
            std::fflush(stderr);
            bar_is_open = true;
        } else {
            log_info(fmt::format("{}: {}", name, status()));
        }
        log_event("progress",
                  fmt::format(R"({{"phase":"{}","done":{},"total":{},"seconds":{:.3f}}})", name,
                              done, total, last_shown));
    }
};

Progress::Progress(std::string name, std::int64_t total, std::string unit)
    : state_(new State{.name = std::move(name),
                       .total = total,
                       .unit = std::move(unit),
                       .note = {},
                       .since_start = {},
                       .mutex = {}}) {}

Progress::~Progress() {
    if (!state_) return;
    if (state_->bar_is_open) {
        state_->show();
        fmt::print(stderr, "\n");
    }
}

Progress::Progress(Progress&&) noexcept = default;
Progress& Progress::operator=(Progress&&) noexcept = default;

void Progress::advance(std::int64_t count) {
    const std::scoped_lock lock(state_->mutex);
    state_->done += count;
    const double interval =
        state_->terminal ? seconds_between_updates_of_a_bar : seconds_between_lines_of_a_log;
    if (state_->since_start.seconds() - state_->last_shown >= interval) state_->show();
}

void Progress::note(const std::string& text) {
    const std::scoped_lock lock(state_->mutex);
    state_->note = text;
}

}  // namespace nanoatlas::base
