#include "nn/train/deadline.hpp"

#include <algorithm>
#include <sstream>
#include <vector>

#include "base/check.hpp"
#include "base/number.hpp"

namespace nanoatlas::nn {
namespace {

/// Numbers between colons; empty if anything else stands there.
std::vector<double> fields_of(const std::string& text) {
    std::vector<double> fields;
    std::istringstream rest(text + ":");
    for (std::string field; std::getline(rest, field, ':');) {
        const auto number = base::parse_number<double>(field);
        if (!number || !(*number >= 0)) return {};
        fields.push_back(*number);
    }
    return fields;
}

}  // namespace

double parse_time_limit(const std::string& text) {
    const auto dash = text.find('-');
    const bool has_days = dash != std::string::npos;
    const auto days = fields_of(has_days ? text.substr(0, dash) : "0");
    const auto fields = fields_of(has_days ? text.substr(dash + 1) : text);
    const bool is_known =
        days.size() == 1 && (fields.size() == 3 || (fields.size() == 1 && !has_days));
    const double seconds = !is_known ? 0
                           : fields.size() == 1
                               ? 60 * fields[0]
                               : 86400 * days[0] + 3600 * fields[0] + 60 * fields[1] + fields[2];
    VALIDATE(seconds > 0, "--time-limit '{}' is no time; give minutes, H:MM:SS or D-HH:MM:SS",
             text);
    return seconds;
}

void Deadline::step_took(double seconds) {
    step_ = std::max(step_, seconds);
}
void Deadline::epoch_end_took(double seconds) {
    epoch_end_ = std::max(epoch_end_, seconds);
}
void Deadline::checkpoint_took(double seconds) {
    checkpoint_ = std::max(checkpoint_, seconds);
}

bool Deadline::is_too_close(double elapsed, double passes) const {
    if (limit_ == 0) return false;
    constexpr double reserve = 1.25, least = 2;  // for what takes longer next time; [s]
    // Until an epoch has ended, a guess: evaluating an image takes less than training on it.
    const double end = passes > 0 && epoch_end_ > 0 ? epoch_end_ : passes * step_;
    // The first checkpoint's time is not known either.
    const double checkpoint = checkpoint_ > 0 ? checkpoint_ : step_;
    return elapsed + reserve * (step_ + end + checkpoint) + least >= limit_;
}

}  // namespace nanoatlas::nn
